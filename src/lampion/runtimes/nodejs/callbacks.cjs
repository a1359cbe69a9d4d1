"use strict";
/*
 * Handlers up to Node.js 22: they answer by callback, by `context.done`, by a promise, or not at all.
 *
 * An invocation whose handler returned nothing ends when the event loop is empty, which Node.js tells by "beforeExit".
 */

const { HEADER, forwardTraceId, functionMembers, invocationMembers } = require("./context.cjs");
const { UnhandledPromiseRejection, anyError, causeOf, formatted, payloadOf } = require("./errors.cjs");
const { STREAMING, HIGH_WATER_MARK } = require("./environment.cjs");
const { loadHandler, requireFirst: loadModule } = require("./handlers.cjs");
const { openAnswer } = require("./streaming.cjs");

const EXIT_UNCAUGHT = 129;
const EXIT_UNHANDLED = 128;
const EXIT_UNSETTLED = 13; // what Node.js itself answers when a top-level await never ends
const REQUEST_ID = Symbol.for("aws.lambda.runtime.requestId");
const TENANT_ID = Symbol.for("aws.lambda.runtime.tenantId");
const BEFORE_EXIT = Symbol.for("aws.lambda.beforeExit");
const ignore = () => undefined;

/** Load the handler and serve; every failure that nobody catches is logged and posted, and ends the process. */
function serve(client, logger) {
  const endings = new Endings(client, logger);
  globalThis[BEFORE_EXIT] = ignore;
  process.on("beforeExit", () => globalThis[BEFORE_EXIT]());
  let isLoading = true;
  process.on("exit", () => {
    if (isLoading && !process.exitCode) {
      process.exitCode = EXIT_UNSETTLED;
    }
  });
  loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER, { loadModule, findIn }).then(
    (handler) => {
      isLoading = false;
      serveWith(client, logger, handler, endings);
    },
    (error) => {
      isLoading = false;
      endings.uncaughtException(error);
    },
  );
}

function serveWith(client, logger, handler, endings = {}) {
  new Runtime(client, logger, handler, endings).scheduleIteration();
}

/** A handler's name may lead through objects: `index.api.get`. */
function findIn(module, name) {
  return name.split(".").reduce((nested, key) => nested && nested[key], module);
}

/** What ends the process: errors that nobody caught. */
class Endings {
  constructor(client, logger) {
    this._client = client;
    this._logger = logger;
    this.isServing = false;
    process.on("uncaughtException", (error) => this.uncaughtException(error));
    process.on("unhandledRejection", (reason, promise) => {
      const error = new UnhandledPromiseRejection(reason, promise);
      logError(this._logger, "Unhandled Promise Rejection", error);
      this._end(error, EXIT_UNHANDLED);
    });
  }

  uncaughtException(error) {
    logError(this._logger, "Uncaught Exception", error);
    this._end(error, EXIT_UNCAUGHT);
  }

  _end(error, exitCode) {
    const payload = payloadOf(error, anyError);
    const body = JSON.stringify(payload);
    const end = () => process.exit(exitCode);
    if (this.isServing) {
      this._client.failAndEnd(body, payload.errorType, causeOf(error), end);
    } else {
      this._client.failInit(body, payload.errorType, end);
    }
  }
}

class Runtime {
  constructor(client, logger, handler, endings) {
    this.client = client;
    this.logger = logger;
    this.handler = handler;
    this.endings = endings;
    this.handleOnce = handler[STREAMING] ? this.handleOnceStreaming : this.handleOnceNonStreaming;
  }

  scheduleIteration() {
    setImmediate(() => {
      this.handleOnce().catch((error) => {
        console.log(`Unexpected Top Level Error: ${error}`);
        this.endings.uncaughtException(error);
      });
    });
  }

  /** Wait for an invocation and start its handler; what it answers schedules the next. */
  async handleOnceNonStreaming() {
    const { headers, body } = await this.nextEvent();
    const { callback, context, finish } = this.answersOf();
    try {
      globalThis[BEFORE_EXIT] = () => {
        finish();
        this.succeed(null);
      };
      const result = this.handler(JSON.parse(body), this.completed(context, headers), callback);
      if (result && typeof result.then === "function") {
        result.then(context.succeed, context.fail).catch(context.fail);
      }
    } catch (error) {
      callback(error);
    }
  }

  /** As above, for a handler that writes its answer to a stream; the next is scheduled when that is delivered. */
  async handleOnceStreaming() {
    const { headers, body } = await this.nextEvent();
    const answer = openAnswer(this.client.answerAddress, this.handler[HIGH_WATER_MARK]);
    let waitsForEmptyEventLoop = true;
    const context = {
      get callbackWaitsForEmptyEventLoop() {
        return waitsForEmptyEventLoop;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        waitsForEmptyEventLoop = value;
      },
    };
    try {
      globalThis[BEFORE_EXIT] = () => this.scheduleIteration();
      await streamed(this.handler(JSON.parse(body), answer.stream, this.completed(context, headers)), answer);
    } catch (error) {
      logError(this.logger, "Invoke Error", error);
      await answer.fail(payloadOf(error, anyError));
    }
    globalThis[BEFORE_EXIT] = ignore;
    if (waitsForEmptyEventLoop) {
      globalThis[BEFORE_EXIT] = () => setImmediate(() => this.scheduleIteration());
    } else {
      this.scheduleIteration();
    }
  }

  async nextEvent() {
    const event = await this.client.next();
    this.endings.isServing = true;
    this.logger.requestId = globalThis[REQUEST_ID] = event.headers[HEADER.requestId];
    this.logger.tenantId = globalThis[TENANT_ID] = event.headers[HEADER.tenantId];
    return event;
  }

  completed(context, headers) {
    forwardTraceId(headers, process.env);
    return Object.assign(context, functionMembers(process.env), invocationMembers(headers, parseHeader));
  }

  /** The ways to answer one invocation; of each, only the first call counts. */
  answersOf() {
    let isComplete = false;
    let waitsForEmptyEventLoop = true;
    const complete = (result) => {
      if (isComplete) {
        console.error(
          "Invocation has already been reported as done. Cannot call complete more than once per invocation.",
        );
        return;
      }
      isComplete = true;
      this.succeed(result);
    };
    const answer = (error, result, finish) => {
      globalThis[BEFORE_EXIT] = ignore;
      if (error !== undefined && error !== null) {
        this.fail(error);
      } else {
        finish(result);
      }
    };
    const completeWhenIdle = (result) => {
      globalThis[BEFORE_EXIT] = () => setImmediate(() => complete(result));
    };
    let isAnswered = false;
    const first = (respond) => (...values) => {
      if (!isAnswered) {
        respond(...values);
        isAnswered = true;
      }
    };
    const done = (error, result) => answer(error, result, complete);
    return {
      finish: () => {
        isComplete = true;
      },
      callback: first((error, result) => answer(error, result, waitsForEmptyEventLoop ? completeWhenIdle : complete)),
      context: {
        get callbackWaitsForEmptyEventLoop() {
          return waitsForEmptyEventLoop;
        },
        set callbackWaitsForEmptyEventLoop(value) {
          waitsForEmptyEventLoop = value;
        },
        succeed: first((result) => done(null, result)),
        fail: first((error) => (error === undefined || error === null ? done("handled") : done(error, null))),
        done: first(done),
      },
    };
  }

  succeed(result) {
    this.client.respond(toJson(result));
    this.scheduleIteration();
  }

  fail(error) {
    logError(this.logger, "Invoke Error", error);
    const payload = payloadOf(error, anyError);
    this.client.fail(JSON.stringify(payload), payload.errorType, causeOf(error));
    this.scheduleIteration();
  }
}

/** Wait until the handler is through and its answer is delivered; what it throws in between is text on AWS too. */
async function streamed(result, { stream, done }) {
  if (!result || typeof result.then !== "function") {
    throw "Streaming does not support non-async handlers.";
  }
  if ((await result) !== undefined) {
    console.warn("Streaming handlers ignore return values.");
  }
  await done;
  if (!stream.writableFinished) {
    throw "Response stream is not finished.";
  }
}

function toJson(value) {
  let text;
  try {
    text = JSON.stringify(value === undefined ? null : value);
  } catch {
    throw new Error("Unable to stringify response body");
  }
  if (text === undefined) {
    throw new TypeError("Wrong arguments"); // AWS's words for functions and symbols
  }
  return text;
}

function parseHeader(text, header) {
  if (text === undefined) {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const name = header === HEADER.clientContext ? "ClientContext" : "CognitoIdentity";
    throw new Error(`Cannot parse ${name} as json: ${error}`);
  }
}

function logError(logger, message, error) {
  const shown = error instanceof Error ? error : new Error(error);
  if (logger.isJson) {
    console.error(shown);
  } else {
    console.error(message, formatted(shown, anyError));
  }
}

module.exports = { serve, serveWith, loadModule, findIn, NO_REQUEST_ID: undefined };
