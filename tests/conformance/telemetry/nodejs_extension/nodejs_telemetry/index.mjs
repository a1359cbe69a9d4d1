// Registers, listens, subscribes, and takes its part in every invocation until the environment ends.
import http from 'node:http';

const base = `http://${process.env.AWS_LAMBDA_RUNTIME_API}`;
const host = 'sandbox.localdomain';
const port = 4243;
const batches = [];

async function call(method, path, body, headers) {
  const answer = await fetch(base + path, {
    method,
    body: body && JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

function drain() {
  for (const batch of batches.splice(0)) console.log(`BATCH ${batch}`);
}

const registered = await call(
  'POST',
  '/2020-01-01/extension/register',
  { events: ['INVOKE', 'SHUTDOWN'] },
  { 'Lambda-Extension-Name': process.argv[2] },
);
const identity = { 'Lambda-Extension-Identifier': registered.headers.get('lambda-extension-identifier') };

await new Promise((listening) => {
  const server = http.createServer((request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      batches.push(Buffer.concat(pieces).toString());
      response.end('OK');
    });
  });
  server.listen(port, host, listening);
});
await call(
  'PUT',
  '/2022-07-01/telemetry',
  {
    schemaVersion: '2025-01-29',
    types: ['platform', 'function'],
    buffering: { timeoutMs: 25, maxBytes: 262144, maxItems: 1000 },
    destination: { protocol: 'HTTP', URI: `http://${host}:${port}` },
  },
  identity,
);
for (;;) {
  const event = await (await call('GET', '/2020-01-01/extension/event/next', undefined, identity)).json();
  if (event.eventType === 'SHUTDOWN') {
    await new Promise((over) => setTimeout(over, 1000)); // for what is still to come
    drain();
    console.log(`SHUTDOWN ${event.shutdownReason}`);
    process.exit(0);
  }
  drain();
}
