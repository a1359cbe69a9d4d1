"use strict";
/*
 * A worker that was started before it is known for which function: it rehearses, then sleeps.
 *
 * Its orders come on a descriptor, up to its end: the function's whole environment, `NAME=VALUE` with a NUL after each.
 * By then the function's files are mounted. Until then nothing may look for them: Node.js remembers what it didn't find.
 */

const fs = require("fs");

const { rehearse } = require("./rehearsal.cjs");

const ORDERS_DESCRIPTOR = 4;
const READ_BYTES = 65536;

/** Rehearse with `generation`, wait, and become the function's process: its environment and its directory. */
async function waitForOrders(generation) {
  await rehearse(generation);
  const orders = readToEnd(ORDERS_DESCRIPTOR);
  if (orders.length === 0) {
    process.exit(0); // nobody needs this worker any more
  }
  replaceEnvironment(orders);
  process.chdir(process.env.LAMBDA_TASK_ROOT);
}

function readToEnd(descriptor) {
  const parts = [];
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  for (;;) {
    const size = readSome(descriptor, buffer);
    if (size === 0) {
      fs.closeSync(descriptor);
      return Buffer.concat(parts);
    }
    parts.push(Buffer.from(buffer.subarray(0, size)));
  }
}

function readSome(descriptor, buffer) {
  for (;;) {
    try {
      return fs.readSync(descriptor, buffer);
    } catch (error) {
      if (error.code !== "EINTR") {
        throw error;
      }
    }
  }
}

/** Setting TZ makes Node.js take the new time zone. */
function replaceEnvironment(orders) {
  const ordered = new Map();
  for (const variable of orders.toString().split("\0")) {
    const equals = variable.indexOf("=");
    if (equals > 0) {
      ordered.set(variable.slice(0, equals), variable.slice(equals + 1));
    }
  }
  // Only what differs: to set TZ, even to what it is, costs as much as all else together.
  for (const [name, value] of Object.entries(process.env)) {
    if (ordered.get(name) === value) {
      ordered.delete(name);
    } else {
      delete process.env[name];
    }
  }
  for (const [name, value] of ordered) {
    process.env[name] = value;
  }
}

module.exports = { waitForOrders };
