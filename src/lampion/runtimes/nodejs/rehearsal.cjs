"use strict";
/*
 * Loads two handlers and serves two invented invocations, so that all of that is loaded, compiled and in memory.
 *
 * It leaves nothing that a function could see but what `prepare` sets anew, and the environment, which is replaced.
 */

const fs = require("fs");
const net = require("net");
const path = require("path");

const { RuntimeClient } = require("./client.cjs");
const { patchConsole } = require("./console.cjs");
const environment = require("./environment.cjs");
const { loadHandler } = require("./handlers.cjs");

const HANDLERS = ["commonjs.handler", "module.handler"];
const VARIABLES = {
  AWS_LAMBDA_FUNCTION_NAME: "rehearsal",
  AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
  AWS_LAMBDA_LOG_GROUP_NAME: "rehearsal",
  AWS_LAMBDA_LOG_STREAM_NAME: "rehearsal",
};
const EVENT = "{}";
const EVENT_ANSWER = [
  "HTTP/1.1 200 OK",
  "Content-Type: application/json",
  "Lambda-Runtime-Aws-Request-Id: rehearsal",
  "Lambda-Runtime-Deadline-Ms: 0",
  "Lambda-Runtime-Invoked-Function-Arn: rehearsal",
  "Lambda-Runtime-Trace-Id: rehearsal",
  "Lampion-Runtime-Next: true",
  `Content-Length: ${EVENT.length}`,
  "",
  EVENT,
].join("\r\n");
const INVOCATIONS = 2;

/** `generation` is what will serve the function: callbacks.cjs or promises.cjs. */
async function rehearse(generation) {
  const globals = new Set(Reflect.ownKeys(globalThis));
  const output = fs.openSync("/dev/null", "w");
  Object.assign(process.env, VARIABLES, { _LAMBDA_TELEMETRY_LOG_FD: String(output) });
  environment.prepare();
  const logger = patchConsole(generation.NO_REQUEST_ID);
  for (const name of HANDLERS) {
    await loadHandler(path.join(__dirname, "warm"), name, generation);
  }
  console.log("%s %o", "rehearsal", new Error("rehearsal"));
  await withoutStandardError(() => serveInvented(generation, logger));
  fs.closeSync(output);
  for (const name of Reflect.ownKeys(globalThis)) {
    if (!globals.has(name)) {
      delete globalThis[name];
    }
  }
}

/**
 * A socket that is destroyed looks at process.stderr, and the first look makes its pipe, which is standard output's as
 * well, non-blocking: a function that writes much to a descriptor would get EAGAIN.
 */
async function withoutStandardError(work) {
  const kept = Object.getOwnPropertyDescriptor(process, "stderr");
  Object.defineProperty(process, "stderr", { configurable: true, value: undefined });
  const result = await work();
  Object.defineProperty(process, "stderr", kept);
  return result;
}

/** The events come from a server in this process; where there is no loopback device yet, there is no rehearsal. */
function serveInvented(generation, logger) {
  return new Promise((resolve) => {
    const server = net.createServer((socket) => socket.on("data", () => socket.write(EVENT_ANSWER)).on("error", end));
    let client = null;
    let count = 0;
    function end() {
      client?.close();
      server.close(resolve);
    }
    function handler() {
      count += 1;
      if (count < INVOCATIONS) {
        return Promise.resolve({});
      }
      end();
      return new Promise(() => undefined);
    }
    server.on("error", end);
    server.listen(0, "127.0.0.1", () => {
      client = new RuntimeClient(`127.0.0.1:${server.address().port}`, end);
      generation.serveWith(client, logger, handler);
    });
  });
}

module.exports = { rehearse, withoutStandardError };
