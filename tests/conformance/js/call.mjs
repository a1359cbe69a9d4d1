// Runs Lambda commands given as JSON on stdin, one after the other, and prints what the SDK made of each answer.
// [{command: "Invoke", input: {...}}, {paginate: "ListFunctions", input: {...}}, {waitFor: "FunctionActiveV2", input: {...}}]
// An event stream becomes the list of its events. Bytes are {"$base64": "..."} on the way in and on the way out.
import * as sdk from "@aws-sdk/client-lambda";

const client = new sdk.LambdaClient({ maxAttempts: 1 });

const isBytes = (value) => value instanceof Uint8Array;
const encode = (value) => {
  if (isBytes(value)) return { $base64: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(encode);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, encode(member)]));
  }
  return value;
};
const decode = (value) => {
  if (Array.isArray(value)) return value.map(decode);
  if (value === null || typeof value !== "object") return value;
  if ("$base64" in value) return Buffer.from(value.$base64, "base64");
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, decode(member)]));
};

const run = async ({ command, paginate, waitFor, input }) => {
  const request = decode(input);
  if (waitFor) {
    const { state } = await sdk[`waitUntil${waitFor}`]({ client, maxWaitTime: 20, minDelay: 1, maxDelay: 1 }, request);
    return { state };
  }
  if (paginate) {
    const pages = [];
    for await (const page of sdk[`paginate${paginate}`]({ client, pageSize: 2 }, request)) pages.push(encode(page));
    return { pages };
  }
  const answer = await client.send(new sdk[`${command}Command`](request));
  if (answer.EventStream) {
    const events = [];
    for await (const event of answer.EventStream) events.push(event);
    answer.EventStream = events;
  }
  return encode(answer);
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
const results = [];
for (const step of JSON.parse(text)) {
  try {
    results.push(await run(step));
  } catch (error) {
    const known = error instanceof sdk.LambdaServiceException;
    results.push({ $error: { name: error.name, message: error.message, known, status: error.$metadata?.httpStatusCode, Type: error.Type } });
  }
}
process.stdout.write(JSON.stringify(results));
