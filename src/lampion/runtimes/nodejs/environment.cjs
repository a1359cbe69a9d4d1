"use strict";
/* What a handler finds around it: module paths, arguments, globals. Reads the environment only when called. */

const Module = require("module");

const { MAJOR } = require("./version.cjs");

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const HIGH_WATER_MARK = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");

/** Make the process look as AWS's does to the function: it finds layers, and no trace of this runtime. */
function prepare() {
  extendModulePath(process.env);
  defineGlobals(process.env);
  process.argv.length = 2;
  process.mainModule = undefined; // AWS's entry is an ES module: require.main is undefined there
  for (const file of Object.keys(require.cache)) {
    if (file.startsWith(`${__dirname}/`)) {
      delete require.cache[file];
    }
  }
}

function extendModulePath(environ) {
  const { _LAMPION_LAYERS: root = "/opt" } = environ;
  delete environ._LAMPION_LAYERS;
  if (!environ.NODE_PATH) {
    const layers = `${root}/nodejs/node${MAJOR}/node_modules:${root}/nodejs/node_modules`;
    const { LAMBDA_RUNTIME_DIR: runtime = __dirname, LAMBDA_TASK_ROOT: task } = environ;
    environ.NODE_PATH = `${layers}:${runtime}/node_modules:${runtime}:${task}`;
  }
  Module._initPaths(); // Node.js reads NODE_PATH when it starts, which was too early
}

/** `awslambda`, by which functions ask for response streaming. */
function defineGlobals(environ) {
  if (["1", "true"].includes(environ.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) {
    return;
  }
  globalThis.awslambda = {
    ...globalThis.awslambda,
    streamifyResponse: (handler, options) => {
      handler[STREAMING] = "response";
      if (typeof options?.highWaterMark === "number") {
        handler[HIGH_WATER_MARK] = Math.trunc(options.highWaterMark);
      }
      return handler;
    },
    HttpResponseStream,
  };
}

const PRELUDE_CONTENT_TYPE = "application/vnd.awslambda.http-integration-response";
const PRELUDE_END = new Uint8Array(8);

/** Puts an HTTP response's head before the first bytes of a stream. */
class HttpResponseStream {
  static from(stream, prelude) {
    stream.setContentType(PRELUDE_CONTENT_TYPE);
    const head = JSON.stringify(prelude);
    stream._onBeforeFirstWrite = (write) => {
      write(head);
      write(PRELUDE_END);
    };
    return stream;
  }
}

module.exports = { prepare, STREAMING, HIGH_WATER_MARK };
