// Starts AWS's own runtime client as its bootstrap does: `node start.mjs PACKAGE`.
// Only the client's native part, which does its HTTP, is replaced: building it takes curl and minutes.

import "./native_client.cjs";

const [name] = process.argv.splice(2);
const client = await import(name);
if (name === "ric-with-callbacks") {
  await client.run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
}
