"use strict";
/* The patched `console`: lines or JSON records with time, request and level, to stdout or framed to the platform. */

const fs = require("fs");
const { format } = require("util");
const { HAS_PROMISES_ONLY } = require("./errors.cjs");

const LEVELS = {
  TRACE: { name: "TRACE", priority: 1, frameBits: 0x04 },
  DEBUG: { name: "DEBUG", priority: 2, frameBits: 0x08 },
  INFO: { name: "INFO", priority: 3, frameBits: 0x0c },
  WARN: { name: "WARN", priority: 4, frameBits: 0x10 },
  ERROR: { name: "ERROR", priority: 5, frameBits: 0x14 },
  FATAL: { name: "FATAL", priority: 6, frameBits: 0x18 },
};
const TEXT_FRAME = 0xa55a0003;
const JSON_FRAME = 0xa55a0002;
const FRAME_HEAD_BYTES = 16;

/** Whose the records are: of no request at first. */
class Logger {
  constructor(isJson, noRequestId) {
    this.isJson = isJson;
    this.requestId = noRequestId;
    this.tenantId = undefined;
  }
}

/** Replace `console`'s methods as the environment says. `noRequestId` is shown outside of invocations. */
function patchConsole(noRequestId) {
  const environ = process.env;
  const logger = new Logger(environ.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON", noRequestId);
  const write = writerFor(takeDescriptor(environ), logger);
  const least = LEVELS[environ.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()] ?? LEVELS.TRACE;
  const methodFor = (level) => {
    if (level.priority < least.priority) {
      return () => undefined;
    }
    return (message, ...parameters) => write(level, message, parameters);
  };
  for (const level of Object.values(LEVELS)) {
    console[level.name.toLowerCase()] = methodFor(level);
  }
  console.log = console.info;
  return logger;
}

/** The descriptor of the platform's pipe, which the function doesn't get to know of. */
function takeDescriptor(environ) {
  const text = environ._LAMBDA_TELEMETRY_LOG_FD;
  delete environ._LAMBDA_TELEMETRY_LOG_FD;
  const descriptor = parseInt(text, 10);
  return descriptor >= 0 ? descriptor : null;
}

function writerFor(descriptor, logger) {
  const formatRecord = logger.isJson ? jsonRecord : textRecord;
  if (descriptor === null) {
    return (level, message, parameters) => {
      const record = formatRecord(logger, new Date().toISOString(), level, message, parameters);
      process.stdout.write(record.replace(/\n/g, "\r") + "\n");
    };
  }
  const type = logger.isJson ? JSON_FRAME : TEXT_FRAME;
  const end = logger.isJson ? "" : "\n";
  return (level, message, parameters) => {
    const now = new Date();
    const record = formatRecord(logger, now.toISOString(), level, message, parameters);
    writeFrame(descriptor, (type | level.frameBits) >>> 0, now, record + end);
  };
}

/** A frame is type (4 bytes), length (4), microseconds since the epoch (8), all big-endian, and the message. */
function writeFrame(descriptor, type, time, message) {
  const bytes = Buffer.byteLength(message);
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + bytes);
  frame.writeUInt32BE(type, 0);
  frame.writeUInt32BE(bytes, 4);
  frame.writeBigUInt64BE(BigInt(time.valueOf()) * 1000n, 8);
  frame.write(message, FRAME_HEAD_BYTES);
  for (let written = 0; written < frame.length; ) {
    written += fs.writeSync(descriptor, frame, written); // a signal may cut a long write short
  }
}

function textRecord(logger, time, level, message, parameters) {
  return `${time}\t${logger.requestId}\t${level.name}\t${format(message, ...parameters)}`;
}

function jsonRecord(logger, time, level, message, parameters) {
  const record = { timestamp: time, level: level.name, requestId: logger.requestId };
  if (logger.tenantId) {
    record.tenantId = logger.tenantId;
  }
  if (parameters.length === 0) {
    try {
      return JSON.stringify({ ...record, message }, (_, value) => (value instanceof Error ? errorRecord(value) : value));
    } catch {
      return JSON.stringify({ ...record, message: format(message) });
    }
  }
  record.message = format(message, ...parameters);
  // AWS's client up to Node.js 22 tells of an error that is the first value, too.
  const values = HAS_PROMISES_ONLY ? parameters : [message, ...parameters];
  const error = values.find((value) => value instanceof Error);
  if (error !== undefined) {
    record.errorType = error.constructor?.name ?? "UnknownError";
    record.errorMessage = error.message;
    record.stackTrace = typeof error.stack === "string" ? error.stack.split("\n") : [];
  }
  return JSON.stringify(record);
}

function errorRecord(error) {
  return {
    errorType: error.constructor?.name ?? "UnknownError",
    errorMessage: error.message,
    stackTrace: typeof error.stack === "string" ? error.stack.split("\n") : error.stack,
    ...error,
  };
}

module.exports = { patchConsole };
