// `runner.mjs NAME TARGETS`: runs one probe and prints what it found as the last line of standard output.

import fs from "node:fs";

import { Attempts } from "./attempts.mjs";

const ROOMS = ["files", "proc", "kernel", "network", "signals", "resources", "confusion"];

const [name, text] = process.argv.slice(2);
const attempts = new Attempts(JSON.parse(text));
let broken = "";
try {
  const rooms = await Promise.all(ROOMS.map((room) => import(`./${room}.mjs`)));
  const probe = rooms.map((room) => room.probes[name]).find((found) => found !== undefined);
  if (probe === undefined) throw new Error(`there is no probe ${name}`);
  await probe(attempts);
} catch (error) {
  broken = String(error.stack ?? error);
}
fs.writeSync(1, `\nESCAPE ${JSON.stringify({ probe: name, attempts: attempts.told, broken })}\n`);
process.exit(0);
