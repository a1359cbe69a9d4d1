"use strict";
/*
 * The Node.js runtime: loads the handler, then answers one invocation after another over the Runtime API.
 *
 * Started as `node /var/runtime/bootstrap.cjs`, with `--as=22` when it stands in for a Node.js that isn't there, and
 * with `--wait` before it is known for which function. It behaves as AWS's own runtime client does: up to Node.js 22
 * with callbacks, from 24 on with promises only. It is CommonJS because that starts faster; functions may be either.
 */

const environment = require("./environment.cjs");
const { RuntimeClient } = require("./client.cjs");
const { patchConsole } = require("./console.cjs");
const { HAS_PROMISES_ONLY } = require("./errors.cjs");
const callbacks = require("./callbacks.cjs");
const promises = require("./promises.cjs");

const generation = HAS_PROMISES_ONLY ? promises : callbacks;

/** Serve the function that the environment describes, for as long as there is a Runtime API. */
function serve() {
  environment.prepare();
  const logger = patchConsole(generation.NO_REQUEST_ID);
  generation.serve(new RuntimeClient(process.env.AWS_LAMBDA_RUNTIME_API), logger);
}

if (process.argv.includes("--wait")) {
  require("./waiting.cjs").waitForOrders(generation).then(serve);
} else {
  serve();
}
