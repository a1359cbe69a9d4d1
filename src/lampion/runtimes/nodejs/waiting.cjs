"use strict";
/*
 * A worker that was started before it is known for which function: it loads what every function needs, then sleeps.
 *
 * Its orders come on a descriptor, up to its end: the function's whole environment, `NAME=VALUE` with a NUL after each.
 * By then the function's files are mounted. Until then nothing may look for them: Node.js remembers what it didn't find.
 */

const fs = require("fs");
const net = require("net");
const { format } = require("util");

const { RuntimeClient } = require("./client.cjs");
const { importFirst, loadHandler } = require("./handlers.cjs");

const ORDERS_DESCRIPTOR = 4;
const READ_BYTES = 65536;

/** Warm up, wait, and become the function's process: its environment and its directory. */
async function waitForOrders() {
  await warmUp();
  const orders = readToEnd(ORDERS_DESCRIPTOR);
  if (orders.length === 0) {
    process.exit(0); // nobody needs this worker any more
  }
  replaceEnvironment(orders);
  process.chdir(process.env.LAMBDA_TASK_ROOT);
}

/** Run once what is compiled at its first use: both module loaders, formatting, the client with its socket. */
async function warmUp() {
  await loadHandler(__dirname, "warm.handler", { loadModule: importFirst, findIn: (module, name) => module[name] });
  format("%s %o", "warm", new Error("warm"));
  JSON.stringify({ time: new Date().toISOString() });
  await withoutStandardError(exchangeOnce);
}

/**
 * A socket that is destroyed looks at process.stderr, and the first look makes its pipe, which is standard output's as
 * well, non-blocking: a function that writes much to a descriptor would get EAGAIN.
 */
async function withoutStandardError(work) {
  const kept = Object.getOwnPropertyDescriptor(process, "stderr");
  Object.defineProperty(process, "stderr", { configurable: true, value: undefined });
  await work();
  Object.defineProperty(process, "stderr", kept);
}

const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nLampion-Runtime-Next: true\r\n\r\n{}";

/** Take two events from a server in this process; where there is no loopback device yet, leave it. */
function exchangeOnce() {
  return new Promise((resolve) => {
    const server = net.createServer((socket) => socket.on("data", () => socket.write(ANSWER)).on("error", end));
    let client = null;
    function end() {
      client?.close();
      server.close(resolve);
    }
    server.on("error", end);
    server.listen(0, "127.0.0.1", async () => {
      client = new RuntimeClient(`127.0.0.1:${server.address().port}`, end);
      await client.next();
      client.respond("null");
      await client.next();
      end();
    });
  });
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
