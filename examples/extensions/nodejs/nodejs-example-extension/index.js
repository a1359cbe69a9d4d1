// Written after nodejs-example-extension of aws-samples/aws-lambda-extensions
// (Copyright Amazon.com, Inc. or its affiliates; MIT-0), with nothing but Node.js.
"use strict";

const http = require("node:http");

const name = process.argv[2];
const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2020-01-01/extension`;

function call(method, path, headers, body) {
  return new Promise((resolve, reject) => {
    // Without a limit: between invocations everything here is frozen.
    const request = http.request(`${api}${path}`, { method, headers }, (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("end", () => resolve([response.headers, JSON.parse(Buffer.concat(pieces))]));
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function main() {
  const body = JSON.stringify({ events: ["INVOKE", "SHUTDOWN"] });
  const [headers] = await call("POST", "/register", { "Lambda-Extension-Name": name }, body);
  console.log(`[${name}] Registered.`);
  for (;;) {
    const identifier = headers["lambda-extension-identifier"];
    const [, event] = await call("GET", "/event/next", { "Lambda-Extension-Identifier": identifier });
    console.log(`[${name}] Received event: ${JSON.stringify(event)}`);
    if (event.eventType === "SHUTDOWN") return;
  }
}

main();
