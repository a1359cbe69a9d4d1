"use strict";
/*
 * A worker that was started before it is known for which function: it rehearses, then sleeps.
 *
 * Its orders come on a descriptor, up to its end: the function's whole environment, `NAME=VALUE` with a NUL after each.
 * By then the function's files are mounted. Until then nothing may look for them: Node.js remembers what it didn't find.
 */

const net = require("net");

const { rehearse, withoutStandardError } = require("./rehearsal.cjs");

const ORDERS_DESCRIPTOR = 4;
const AGAIN_MS = 4000; // some machines take memory away that hasn't been looked at for ten seconds

/** Rehearse with `generation`, wait, and become the function's process: its environment and its directory. */
async function waitForOrders(generation) {
  await rehearse(generation);
  const orders = await withoutStandardError(() => receiveOrders(() => rehearse(generation)));
  if (orders.length === 0) {
    process.exit(0); // nobody needs this worker any more
  }
  replaceEnvironment(orders);
  process.chdir(process.env.LAMBDA_TASK_ROOT);
}

/** Everything up to the end of the orders; until they begin, what is loaded is used again and again. */
function receiveOrders(useAgain) {
  return new Promise((resolve) => {
    const parts = [];
    let used = Promise.resolve();
    const timer = setInterval(() => {
      used = useAgain();
    }, AGAIN_MS);
    new net.Socket({ fd: ORDERS_DESCRIPTOR, readable: true, writable: false })
      .on("data", (part) => {
        clearInterval(timer);
        parts.push(part);
      })
      .on("close", () => {
        clearInterval(timer);
        used.then(() => resolve(Buffer.concat(parts)));
      });
  });
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
