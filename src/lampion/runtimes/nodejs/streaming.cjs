"use strict";
/*
 * The stream that a handler writes its answer to, made by `awslambda.streamifyResponse`: a request of Node.js's own
 * http client, behind the members that AWS's clients show of it. Writes wait as those of any stream do.
 */

const { HAS_PROMISES_ONLY, InvalidStreamingOperation } = require("./errors.cjs");

const ERROR_TYPE = "Lambda-Runtime-Function-Error-Type";
const ERROR_BODY = "Lambda-Runtime-Function-Error-Body";
const NOT_IN_A_HEADER = /[^\t\x20-\x7e\x80-\xff]/g;

const METHODS = [
  ...["cork", "destroy", "end", "uncork", "write"],
  ...["addListener", "emit", "eventNames", "getMaxListeners", "listenerCount", "listeners", "off", "on", "once"],
  ...["prependListener", "prependOnceListener", "rawListeners", "removeAllListeners", "removeListener"],
  ...["setMaxListeners", "setContentType"],
];
const SETTABLE = ["destroyed", "_onBeforeFirstWrite", ...(HAS_PROMISES_ONLY ? [] : ["writable"])];
const READABLE = [
  ...["writableFinished", "writableObjectMode", "writableEnded", "writableNeedDrain", "writableHighWaterMark"],
  ...["writableCorked", "writableLength", HAS_PROMISES_ONLY ? "writable" : "writableBuffer"],
];

let agent = null;

/**
 * Begin the answer that goes to `address`: `stream` is for the handler, `done` is over when the Runtime API has
 * everything, and `fail(payload)` ends the answer with an error and waits until the Runtime API has it.
 */
function openAnswer(address, highWaterMark) {
  const http = require("http"); // loaded with a handler that streams; most functions never need it
  agent ??= new http.Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = (options, connected) => require("net").createConnection({ ...options, highWaterMark }, connected);
  const request = http.request({ ...address, method: "POST", agent, headers: headers() });
  const done = new Promise((resolve, reject) => {
    request.on("response", (response) => {
      response.on("aborted", reject);
      response.on("end", resolve);
      response.resume();
    });
    request.on("error", (error) => {
      reject(error);
      Promise.reject(error); // as on AWS: an answer that can't be delivered is an unhandled rejection
      request.destroy(error);
    });
  });
  done.catch(() => undefined); // the handler may not be through with what comes before it looks at this
  addFirstWrite(request);
  return { stream: shown(request), done, fail: (payload) => fail(request, done, payload) };
}

function headers() {
  return {
    "Lambda-Runtime-Function-Response-Mode": "streaming",
    Trailer: [ERROR_TYPE, ERROR_BODY],
    "Content-Type": "application/octet-stream",
    "Transfer-Encoding": "chunked",
  };
}

/** Before the first write the content type can be set, and with it something is put before it. */
function addFirstWrite(request) {
  let isWritten = false;
  const write = request.write.bind(request);
  request.setContentType = (contentType) => {
    if (isWritten) {
      throw new InvalidStreamingOperation("Cannot set content-type, too late.");
    }
    request.setHeader("Content-Type", contentType);
  };
  request.write = (chunk, encoding, callback) => {
    const isRaw = chunk.length !== undefined && isText(chunk); // neither null nor undefined can be written
    if (!isWritten && typeof request._onBeforeFirstWrite === "function") {
      request._onBeforeFirstWrite((part) => write(part));
    }
    const hasRoom = write(isRaw ? chunk : JSON.stringify(chunk), encoding, callback);
    isWritten = true;
    return hasRoom;
  };
  if (!HAS_PROMISES_ONLY) {
    const end = request.end.bind(request);
    request.end = (chunkOrCallback) => void end(chunkOrCallback);
  }
}

function isText(chunk) {
  const isBytes = HAS_PROMISES_ONLY ? chunk instanceof Uint8Array : chunk.constructor === Uint8Array;
  return typeof chunk === "string" || Buffer.isBuffer(chunk) || isBytes;
}

function shown(request) {
  const stream = {};
  for (const name of METHODS) {
    stream[name] = request[name].bind(request);
  }
  for (const name of [...SETTABLE, ...READABLE]) {
    const set = SETTABLE.includes(name) ? (value) => (request[name] = value) : undefined;
    Object.defineProperty(stream, name, { get: () => request[name], set });
  }
  return stream;
}

/** What was written before still counts; after the end of an answer there is nothing left to say. */
function fail(request, done, payload) {
  if (!request.writableEnded) {
    request.addTrailers({
      [ERROR_TYPE]: String(payload.errorType).replace(NOT_IN_A_HEADER, " "),
      [ERROR_BODY]: Buffer.from(JSON.stringify(payload)).toString("base64"),
    });
    request.end();
  }
  return done.catch(() => undefined);
}

module.exports = { openAnswer };
