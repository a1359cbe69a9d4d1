// How a probe tells what it tried: each attempt is open or held, with evidence.

import fs from "node:fs";

export const SECRET = /lampion-secret-[a-z]+-[0-9a-f]{32}/;
const EVIDENCE_CHARACTERS = 200;

export class Attempts {
  constructor(targets) {
    this.targets = targets;
    this.told = [];
  }

  tell(name, isOpen, evidence) {
    const text = String(evidence ?? "done").match(SECRET)?.[0] ?? String(evidence ?? "done");
    this.told.push({ name, open: Boolean(isOpen), evidence: text.slice(0, EVIDENCE_CHARACTERS) });
  }

  // Open when `action` returns (and `proof` accepts what it returned); held when the kernel refuses it.
  async attempt(name, action, proof = () => true) {
    try {
      const result = await action();
      this.tell(name, proof(result), JSON.stringify(Buffer.isBuffer(result) ? result.toString("latin1") : result));
    } catch (error) {
      if (!/^E[A-Z0-9_]+$/.test(error.code ?? "")) throw error;
      this.tell(name, false, error.code);
    }
  }

  // Open when the file holds a secret of somebody else.
  read(name, path) {
    return this.attempt(name, () => contents(path), holdsSecret);
  }

  // Open when the file can be opened so; nothing is read or written.
  canOpen(name, path, flags = fs.constants.O_RDONLY) {
    return this.attempt(name, () => {
      fs.closeSync(fs.openSync(path, flags | fs.constants.O_NONBLOCK));
      return path;
    });
  }
}

export const holdsSecret = (content) => SECRET.test(content.toString("latin1"));
export const isNotEmpty = (content) => content.length > 0;

export function contents(path, size = 65536) {
  const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(size);
    return buffer.subarray(0, fs.readSync(descriptor, buffer, 0, size, null));
  } finally {
    fs.closeSync(descriptor);
  }
}

// The contents of every readable file below some directories.
export function contentsBelow(...tops) {
  const found = [];
  for (const top of tops) {
    let names = [];
    try {
      names = fs.readdirSync(top, { recursive: true });
    } catch {
      continue;
    }
    for (const name of names) {
      try {
        if (fs.lstatSync(`${top}/${name}`).isFile()) found.push(contents(`${top}/${name}`));
      } catch {
        continue;
      }
    }
  }
  return Buffer.concat(found);
}

export const refused = (code) => Object.assign(new Error(code), { code });
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
