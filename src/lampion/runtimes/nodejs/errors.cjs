"use strict";
/* What becomes of an error: the payload that is posted, the X-Ray cause, the log line. */

const { isNativeError } = require("util").types;

const { MAJOR } = require("./version.cjs");

const HAS_PROMISES_ONLY = MAJOR >= 24;

/** A class of failures that the runtime itself detects and names. The client for Node.js 24 made the name a member. */
function fault(name, className = name) {
  const type = class extends Error {
    constructor(reason) {
      super(reason);
      if (HAS_PROMISES_ONLY) {
        this.name = `Runtime.${name}`;
      }
    }
  };
  Object.defineProperty(type, "name", { value: className }); // JSON log records show it
  type.prototype.name = `Runtime.${name}`;
  return type;
}

const suffix = HAS_PROMISES_ONLY ? "Error" : "";
const HandlerNotFound = fault("HandlerNotFound", `HandlerNotFound${suffix}`);
const MalformedHandlerName = fault("MalformedHandlerName", `MalformedHandlerName${suffix}`);
const ImportModuleError = fault("ImportModuleError");
const UserCodeSyntaxError = class extends fault("UserCodeSyntaxError") {
  constructor(original) {
    super(original);
    if (HAS_PROMISES_ONLY) {
      this.stack = original.stack;
    }
  }
};
const MalformedStreamingHandler = fault("MalformedStreamingHandler");
const InvalidStreamingOperation = fault("InvalidStreamingOperation");
const CallbackHandlerDeprecated = fault("CallbackHandlerDeprecated", `CallbackHandlerDeprecated${suffix}`);
const JSONStringifyError = fault("JSONStringifyError");
const PlatformError = fault("PlatformError");

class UnhandledPromiseRejection extends Error {
  constructor(reason, promise) {
    super(reason);
    this.reason = reason;
    this.promise = promise;
  }
}
UnhandledPromiseRejection.prototype.name = "Runtime.UnhandledPromiseRejection";

const UNREADABLE =
  "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack";

const escaped = (text) => text?.replace(/\x7f/g, "%7F");

/** How AWS's client up to Node.js 22 tells an error: of any realm, or what looks like one; it must have a stack. */
const anyError = {
  is: looksLikeError,
  trace: (error) => escaped(error.stack).split("\n"),
  text: (value) => value.toString(),
  unreadable: { errorType: "handled", errorMessage: UNREADABLE },
};

/** How the client from Node.js 24 on does. */
const ownError = {
  is: (value) => value instanceof Error,
  trace: (error) => escaped(error.stack)?.split("\n") || [],
  text: String,
  unreadable: { errorType: "handled", errorMessage: UNREADABLE, trace: [] },
};

/** The payload for what was thrown; by `kind` it is shown as an error or as a value. */
function payloadOf(thrown, kind) {
  try {
    if (kind.is(thrown)) {
      return { errorType: escaped(thrown.name), errorMessage: escaped(thrown.message), trace: kind.trace(thrown) };
    }
    return { errorType: typeof thrown, errorMessage: kind.text(thrown), trace: [] };
  } catch {
    return kind.unreadable;
  }
}

/** An Error of any realm, or what looks like one. */
function looksLikeError(value) {
  const isText = (member) => typeof member === "string" && member !== "";
  return isNativeError(value) || Boolean(value && isText(value.name) && isText(value.message) && isText(value.stack));
}

/** The error as the value of Lambda-Runtime-Function-XRay-Error-Cause; nothing when it can't be told. */
function causeOf(error) {
  try {
    const stack = framesOf(error.stack);
    return JSON.stringify({
      working_directory: process.cwd(),
      exceptions: [{ type: escaped(error.name), message: escaped(error.message), stack }],
      paths: [...new Set(stack.map((frame) => frame.path))],
    });
  } catch {
    return "";
  }
}

function framesOf(stack) {
  if (!stack) {
    return [];
  }
  return escaped(stack).split("\n").slice(1).map((line) => {
    const text = line.trim().replace(/[()]/g, "");
    const place = text.substring(text.indexOf(" ") + 1);
    const space = place.lastIndexOf(" ");
    const [path, number] = (space > 0 ? place.slice(space + 1) : place).split(":");
    return { path, line: parseInt(number, 10), label: space > 0 ? place.slice(0, space) : "anonymous" };
  });
}

/** The error as it stands in a text log line, after a tab. */
function formatted(error, kind) {
  try {
    return "\t" + JSON.stringify(error, (_, value) => (value instanceof Error ? members(value) : value));
  } catch {
    return "\t" + JSON.stringify(payloadOf(error, kind));
  }
}

function members(error) {
  const shown = { errorType: error.name, errorMessage: error.message, code: error.code, ...error };
  if (typeof error.stack === "string") {
    shown.stack = error.stack.split("\n");
  }
  return shown;
}

module.exports = {
  HAS_PROMISES_ONLY,
  HandlerNotFound,
  MalformedHandlerName,
  ImportModuleError,
  UserCodeSyntaxError,
  MalformedStreamingHandler,
  InvalidStreamingOperation,
  CallbackHandlerDeprecated,
  JSONStringifyError,
  PlatformError,
  UnhandledPromiseRejection,
  payloadOf,
  anyError,
  ownError,
  causeOf,
  formatted,
};
