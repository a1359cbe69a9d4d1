"use strict";
/*
 * Handlers from Node.js 24 on: they return their answer or a promise of it. AWS's client for it was written anew.
 *
 * What nobody catches is Node.js's own affair: it prints the error and ends the process.
 */

const { HEADER, forwardTraceId, functionMembers, invocationMembers } = require("./context.cjs");
const { CallbackHandlerDeprecated, JSONStringifyError, PlatformError } = require("./errors.cjs");
const { causeOf, formatted, ownError, payloadOf } = require("./errors.cjs");
const { STREAMING, HIGH_WATER_MARK } = require("./environment.cjs");
const { importFirst: loadModule, loadHandler } = require("./handlers.cjs");
const { openAnswer } = require("./streaming.cjs");

const NO_REQUEST_ID = "-";
const CALLBACK_PARAMETERS = 3;
const CALLBACK_REFUSED =
  "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to " +
  "modify this function to use a supported handler signature to use Node.js 24 or later. For more information see " +
  "https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.";
const NEEDED = [
  ["AWS_LAMBDA_FUNCTION_NAME", "functionName"],
  ["AWS_LAMBDA_FUNCTION_VERSION", "functionVersion"],
  ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "memoryLimitInMB"],
  ["AWS_LAMBDA_LOG_GROUP_NAME", "logGroupName"],
  ["AWS_LAMBDA_LOG_STREAM_NAME", "logStreamName"],
];

/** Load the handler, then answer invocations one after another. */
async function serve(client, logger) {
  const store = new InvokeStore();
  globalThis.awslambda && (globalThis.awslambda.InvokeStore ??= store);
  await serveWith(client, logger, await load(client, logger), store);
}

async function serveWith(client, logger, handler, store = new InvokeStore()) {
  const Processor = handler[STREAMING] ? StreamingInvokeProcessor : BufferedInvokeProcessor;
  const processor = new Processor(client, logger, handler);
  for (;;) {
    const { headers, body } = await client.next();
    const context = contextOf(headers);
    const event = JSON.parse(body);
    logger.requestId = context.awsRequestId;
    logger.tenantId = context.tenantId;
    await store.run(context, () => processor.processInvoke(context, event));
  }
}

async function load(client, logger) {
  const { _HANDLER: name, LAMBDA_TASK_ROOT: root } = process.env;
  if (!name) {
    throw new PlatformError("_HANDLER environment variable is not set");
  }
  if (!root) {
    throw new PlatformError("LAMBDA_TASK_ROOT environment variable is not set");
  }
  try {
    const handler = await loadHandler(root, name, { loadModule, findIn });
    if (handler.length >= CALLBACK_PARAMETERS && !handler[STREAMING]) {
      throw new CallbackHandlerDeprecated(CALLBACK_REFUSED);
    }
    return handler;
  } catch (error) {
    logError(logger, "Init Error", error);
    const payload = payloadOf(error, ownError);
    await new Promise((resolve) => client.failInit(JSON.stringify(payload), payload.errorType, resolve));
    throw error;
  }
}

/** In what the module exports, or in its default export, as CommonJS modules appear to import(). */
function findIn(module, name) {
  const find = (start) =>
    name.split(".").reduce((nested, key) => (nested && typeof nested === "object" ? nested[key] : undefined), start);
  return find(module) || find(module.default);
}

/** Runs the handler, which sees this class in its stack traces as it does on AWS. */
class BufferedInvokeProcessor {
  constructor(client, logger, handler) {
    this.client = client;
    this.logger = logger;
    this.handler = handler;
  }

  async processInvoke(context, event) {
    try {
      const result = await this.handler(event, context);
      await new Promise(setImmediate);
      this.client.respond(toJson(result));
    } catch (error) {
      await new Promise(setImmediate);
      logError(this.logger, "Invoke Error", error);
      const payload = payloadOf(error, ownError);
      this.client.fail(JSON.stringify(payload), payload.errorType, causeOf(error));
    }
  }
}

/** The same for a handler that writes its answer to a stream. */
class StreamingInvokeProcessor {
  constructor(client, logger, handler) {
    this.client = client;
    this.logger = logger;
    this.handler = handler;
  }

  async processInvoke(context, event) {
    const answer = openAnswer(this.client.answerAddress, this.handler[HIGH_WATER_MARK]);
    try {
      await this.waitForStreamClosure(this.handler(event, answer.stream, context), answer);
    } catch (error) {
      await new Promise(setImmediate);
      logError(this.logger, "Invoke Error", error);
      await answer.fail(payloadOf(error, ownError));
    }
  }

  async waitForStreamClosure(result, { stream, done }) {
    if (typeof result !== "object" || result === null || typeof result.then !== "function") {
      throw new Error("Streaming does not support non-async handlers.");
    }
    if ((await result) !== undefined) {
      console.warn("Streaming handlers ignore return values.");
    }
    await done;
    if (!stream.writableFinished) {
      throw new Error("Response stream is not finished.");
    }
  }
}

function contextOf(headers) {
  const members = functionMembers(process.env);
  const missing = NEEDED.filter(([, member]) => !members[member]);
  if (missing.length > 0) {
    throw new PlatformError(`Missing required environment variables: ${missing.map(([name]) => name).join(", ")}`);
  }
  const context = {
    ...invocationMembers(headers, parseHeader),
    xRayTraceId: headers[HEADER.traceId],
    functionName: members.functionName, // first, as on AWS
    ...members,
  };
  forwardTraceId(headers, process.env);
  return context;
}

function parseHeader(text, header) {
  if (!text) {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PlatformError(`Failed to parse ${header} as JSON: ${error.message}`);
  }
}

function toJson(value) {
  let text;
  try {
    text = JSON.stringify(value === undefined ? null : value);
  } catch {
    throw new JSONStringifyError("Unable to stringify response body");
  }
  if (text === undefined) {
    throw new TypeError("Wrong arguments"); // AWS's words for functions and symbols
  }
  return text;
}

function logError(logger, message, error) {
  const shown = ownError.is(error) ? error : new Error(String(error));
  if (logger.isJson) {
    console.error(shown);
  } else {
    console.error(message, formatted(shown, ownError));
  }
}

const PROTECTED = {
  REQUEST_ID: Symbol.for("_AWS_LAMBDA_REQUEST_ID"),
  X_RAY_TRACE_ID: Symbol.for("_AWS_LAMBDA_X_RAY_TRACE_ID"),
  TENANT_ID: Symbol.for("_AWS_LAMBDA_TENANT_ID"),
};

/** `awslambda.InvokeStore`: what libraries know of the running invocation. */
class InvokeStore {
  getContext() {
    return this._context;
  }

  hasContext() {
    return this._context !== undefined;
  }

  get(key) {
    return this._context?.[key];
  }

  set(key, value) {
    if (Object.values(PROTECTED).includes(key)) {
      throw new Error(`Cannot modify protected Lambda context field: ${String(key)}`);
    }
    this._context = this._context || {};
    this._context[key] = value;
  }

  getRequestId() {
    return this.get(PROTECTED.REQUEST_ID) ?? NO_REQUEST_ID;
  }

  getXRayTraceId() {
    return this.get(PROTECTED.X_RAY_TRACE_ID);
  }

  getTenantId() {
    return this.get(PROTECTED.TENANT_ID);
  }

  run({ awsRequestId, xRayTraceId, tenantId }, work) {
    this._context = {
      [PROTECTED.REQUEST_ID]: awsRequestId,
      [PROTECTED.X_RAY_TRACE_ID]: xRayTraceId,
      [PROTECTED.TENANT_ID]: tenantId,
    };
    return work();
  }
}

module.exports = { serve, serveWith, loadModule, findIn, NO_REQUEST_ID };
