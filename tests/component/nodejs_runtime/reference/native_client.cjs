"use strict";
/*
 * Stands in for rapid-client.node: `next` in the background, `done` and `error` blocking until they are answered,
 * whatever the answer is. Headers are those of the native client. A worker does the HTTP, so that the main thread can block.
 */

const Module = require("module");
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");

if (isMainThread) {
  const resolveFilename = Module._resolveFilename;
  Module._resolveFilename = function (request, ...rest) {
    return request === "./rapid-client.node" ? __filename : resolveFilename.call(this, request, ...rest);
  };
  module.exports = startClient(process.env.AWS_LAMBDA_RUNTIME_API);
} else {
  serveRequests(workerData.address, new Int32Array(workerData.flag));
}

function startClient(address) {
  const flag = new SharedArrayBuffer(4);
  const worker = new Worker(__filename, { workerData: { address, flag }, stdout: false, execArgv: [] });
  worker.unref();
  const blocked = new Int32Array(flag);
  const post = (path, body, headers) => {
    if (typeof body !== "string") {
      throw new TypeError("Wrong arguments");
    }
    Atomics.store(blocked, 0, 1);
    worker.postMessage({ method: "POST", path, body, headers });
    Atomics.wait(blocked, 0, 1);
  };
  const json = { "content-type": "application/json" };
  return {
    next: () =>
      new Promise((resolve) => {
        worker.ref();
        worker.once("message", (answer) => {
          worker.unref();
          resolve(answer);
        });
        worker.postMessage({ method: "GET", path: "next", body: "", headers: {} });
      }),
    done: (id, body) => post(`${id}/response`, body, { ...json, "lambda-runtime-function-xray-error-cause": "" }),
    error: (id, body, cause) =>
      post(`${id}/error`, body, {
        ...json,
        "lambda-runtime-function-xray-error-cause": Buffer.from(cause).toString("latin1"),
      }),
  };
}

function serveRequests(address, blocked) {
  const http = require("http");
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const [hostname, port] = address.split(":");
  parentPort.on("message", ({ method, path, body, headers }) => {
    const options = {
      agent,
      hostname,
      port,
      method,
      path: `/2018-06-01/runtime/invocation/${path}`,
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
    };
    const request = http.request(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => {
        if (method === "GET") {
          parentPort.postMessage({ bodyJson: Buffer.concat(parts).toString(), headers: decoded(response.headers) });
        } else {
          Atomics.store(blocked, 0, 0);
          Atomics.notify(blocked, 0);
        }
      });
    });
    request.on("error", () => undefined); // the Runtime API is gone at the end of a test
    request.end(Buffer.from(body)); // as bytes: beside text, Node.js would encode the headers again
  });
}

/** The native client takes headers as UTF-8. */
function decoded(headers) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Buffer.from(value, "latin1").toString()]),
  );
}
