// P29, P39, P41, P43, P44, P46, P47, P48, and P40 while frozen: as a function on a live server. See product.py.

import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import fs from "node:fs";
import net from "node:net";

import { Attempts, SECRET, pause } from "./attempts.mjs";

const BASE = "/2018-06-01/runtime/invocation";
const NONE = "00000000-0000-4000-8000-000000000000";
const HEARTBEATS = "/tmp/heartbeats";
const stolen = [];
const BOMBS = {
  nested: "[".repeat(100000), "nested objects": '{"a":'.repeat(100000), number: `1${"0".repeat(400000)}`,
  pickle: Buffer.from("80049", "latin1"), exponent: "1e999999", surrogates: '"\\ud800\\udfff\\ud800"',
  "not UTF-8": Buffer.from([0x22, 0xff, 0xfe, 0x22]), headers: "HTTP/1.1 200 OK\r\nX-Evil: 1\r\n\r\n",
};

// One request to this sandbox's Runtime API, byte by byte as one likes; the beginning of the answer.
function exchange(head, body = "", milliseconds = 2000, more = "") {
  const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
  return new Promise((resolve) => {
    const made = net.connect({ host, port: Number(port) });
    const end = (answer) => {
      made.destroy();
      resolve(answer);
    };
    made.setTimeout(milliseconds, () => end("timeout"));
    made.on("error", (error) => end(error.code));
    made.on("close", () => end("closed"));
    made.on("data", (content) => end(content.toString("latin1")));
    const bytes = Buffer.from(body);
    const length = head.startsWith("POST") || bytes.length > 0 ? `Content-Length: ${bytes.length}\r\n` : "";
    made.write(Buffer.concat([Buffer.from(`${head} HTTP/1.1\r\nHost: runtime\r\n${length}${more}\r\n`), bytes]));
  });
}

const isAccepted = (answer) => /^HTTP\/1.1 2\d\d/.test(answer);

const PROBES = {
  async abuse(a, event) {
    for (const [name, id] of [["made-up", NONE], ["another function's", event.foreign_id], ["odd", "..%2f..%2fnext"]])
      for (const kind of ["response", "error"]) {
        const answer = await exchange(`POST ${BASE}/${id}/${kind}`, "{}");
        a.tell(`${kind} for a ${name} request id`, isAccepted(answer), answer.slice(0, 60));
      }
    for (const path of ["/2015-03-31/functions/", `${BASE}/../../../2015-03-31/functions/`, "/"])
      a.tell(`the server's own API at ${path}`, isAccepted(await exchange(`GET ${path}`)), "refused");
    const flood = await Promise.all(Array.from({ length: 100 }, () => exchange(`GET ${BASE}/next`, "", 200)));
    a.tell("events by a flood of /next", flood.some(isAccepted), flood.at(-1).slice(0, 60));
    const many = Array.from({ length: 10000 }, (_, number) => `X-${number}: y\r\n`).join("");
    a.tell("10,000 headers", isAccepted(await exchange("GET /", "", 2000, many)), "refused");
  },

  async answer_twice(a, event, context) {
    const path = `POST ${BASE}/${context.awsRequestId}/response`;
    return `${await exchange(path, '{"first": true}')} ${await exchange(path, '{"second": true}')}`;
  },

  async flood(a, event) {
    let written = 0;
    for (const text of ["x".repeat(10 << 20), "\0\x1b[2J\r\x07".repeat(100000), "short\n".repeat(10000)])
      written += fs.writeSync(1, text);
    const until = Date.now() + event.seconds * 1000;
    while (Date.now() < until) written += fs.writeSync(1, `${"flood ".repeat(10000)}\n`);
    return written;
  },

  async begin_background() {
    setInterval(() => fs.appendFileSync(HEARTBEATS, "x"), 10);
    const script = `setInterval(() => require("fs").appendFileSync("${HEARTBEATS}", "x"), 10)`;
    spawn(process.execPath, ["-e", script], { detached: true, stdio: "ignore" }).unref();
    await pause(200);
    return "begun";
  },

  async count_background() {
    return fs.statSync(HEARTBEATS).size;
  },

  async lurk() {
    for (let count = 0; count < 3; count++)
      exchange(`GET ${BASE}/next`, "", 10000).then((answer) => isAccepted(answer) && stolen.push(answer));
    return "lurking";
  },

  async loot() {
    return stolen;
  },

  async echo(a, event, context) {
    return { id: context.awsRequestId, payload: event.payload ?? null };
  },

  async forge(a, event, context) {
    const id = context.awsRequestId;
    const report = `REPORT RequestId: ${id}\tDuration: 0.01 ms\tBilled Duration: 1 ms\tMemory Size: 1 MB\tMax Memory Used: 1 MB`;
    fs.writeSync(1, `END RequestId: ${id}\n${report}\nSTART RequestId: ${NONE} Version: $LATEST\n`);
    fs.writeSync(1, '{"time":"2020-01-01T00:00:00Z","type":"platform.report","record":{"metrics":{"durationMs":0}}}\n');
    for (const frame of [Buffer.from("a55a0003ffffffff", "hex"), Buffer.alloc(64), randomBytes(4096)]) fs.writeSync(3, frame);
    await pause(50);
  },

  async extend(a, event) {
    const registered = await exchange("POST /2020-01-01/extension/register", '{"events": ["INVOKE"]}', 2000,
      "Lambda-Extension-Name: evil\r\n");
    a.tell("register after INIT", isAccepted(registered), registered.slice(0, 60));
    for (const id of [NONE, event.foreign_id]) {
      const header = `Lambda-Extension-Identifier: ${id}\r\n`;
      const answer = await exchange("GET /2020-01-01/extension/event/next", "", 500, header);
      a.tell("events of an extension", isAccepted(answer), answer.slice(0, 60));
      const body = '{"types": ["platform"], "destination": {"protocol": "HTTP", "URI": "http://127.0.0.1:80"}}';
      for (const path of ["/2020-08-15/logs", "/2022-07-01/telemetry"])
        a.tell(`subscribe at ${path}`, isAccepted(await exchange(`PUT ${path}`, body, 500, header)), "refused");
    }
  },

  async identify(a, event, context) {
    await pause(event.seconds * 1000);
    const names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_LOG_STREAM_NAME"];
    return { ...Object.fromEntries(names.map((name) => [name, process.env[name]])), request: context.awsRequestId };
  },

  async explode(a, event, context) {
    const isHeaders = event.bomb === "headers";
    const more = isHeaders ? "Lambda-Runtime-Function-Error-Type: Evil\r\n\tX-Evil: folded\r\n" : "";
    return exchange(`POST ${BASE}/${context.awsRequestId}/${isHeaders ? "error" : "response"}`, BOMBS[event.bomb], 5000, more);
  },

  async entropy(a, event) {
    await pause(event.seconds * 1000);
    const surprises = { random: String(Math.random()), uuid: randomUUID(), bytes: randomBytes(16).toString("hex") };
    const address = fs.readFileSync("/proc/self/maps", "utf8").match(/([0-9a-f]+)-\S+ .*\[stack\]/)[1];
    return { surprises, layout: { address } };
  },

  async scan() {
    const found = new Set();
    const memory = fs.openSync("/proc/self/mem", "r");
    for (const line of fs.readFileSync("/proc/self/maps", "utf8").split("\n")) {
      const [, first, last] = line.match(/^([0-9a-f]+)-([0-9a-f]+) r/) ?? [];
      if (first === undefined || first.length > 12) continue;
      const size = Number(BigInt(`0x${last}`) - BigInt(`0x${first}`));
      if (size > 1 << 28) continue;
      const content = Buffer.alloc(size);
      try {
        fs.readSync(memory, content, 0, size, BigInt(`0x${first}`));
      } catch {
        continue;
      }
      for (const [secret] of content.toString("latin1").matchAll(new RegExp(SECRET, "g"))) found.add(secret);
    }
    return [...found];
  },

  async credentials(a, event) {
    for (const address of event.addresses) {
      const answer = await new Promise((resolve) => {
        const made = net.connect({ host: address, port: event.port, timeout: 1000 }, () => resolve("connected"));
        made.on("error", (error) => resolve(error.code));
        made.on("timeout", () => resolve("ETIMEDOUT"));
      });
      a.tell(`reach the server at ${address}`, answer === "connected", answer);
    }
    return Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("AWS_")));
  },
};

export async function handler(event, context) {
  const attempts = new Attempts(event.targets ?? {});
  const result = await PROBES[event.probe](attempts, event, context);
  return { attempts: attempts.told, result: result ?? null };
}
