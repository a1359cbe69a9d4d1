// P34-P38, P40: more than the sandbox's share. Each bomb stops at a ceiling of its own.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import { Worker } from "node:worker_threads";

import { contents, pause, refused } from "./attempts.mjs";
import { call, calls } from "./calls.mjs";

const MIB = 1 << 20;
const WANTED_PROCESSES = 1500;
const MOST_PROCESSES = 1100;
const WANTED_DESCRIPTORS = 8192;
const WANTED_FILES = 300000;
const UNLIMITED = `x:${"ff".repeat(16)}`;

const wantedBytes = (a) => 2 * a.targets.memory_mib * MIB;

function fill(file, bytes) {
  const descriptor = fs.openSync(file, "w");
  const block = Buffer.alloc(MIB, 1);
  try {
    for (let written = 0; written < bytes; written += MIB) fs.writeSync(descriptor, block);
  } finally {
    fs.closeSync(descriptor);
    fs.unlinkSync(file);
  }
  return `filled ${file}`;
}

function processorSeconds(child) {
  return Number(contents(`/proc/${child.pid}/schedstat`).toString().split(" ")[0]) / 1e9;
}

export const probes = {
  async "P34:processes"(a) {
    const children = [];
    let isOver = false;
    while (!isOver && children.length < WANTED_PROCESSES) {
      try {
        const child = spawn("/usr/bin/sleep", ["100"], { stdio: "ignore" });
        child.on("error", () => (isOver = true));
        if (child.pid === undefined) break;
        children.push(child);
      } catch {
        break;
      }
    }
    await pause(50);
    a.tell("processes at a time", children.length > MOST_PROCESSES, children.length);
    for (const child of children) child.kill("SIGKILL");
  },

  async "P34:threads"(a) {
    const workers = [];
    const most = 1.5 * a.targets.memory_mib * MIB;
    let isOver = false;
    while (!isOver && workers.length < WANTED_PROCESSES && process.memoryUsage.rss() < most) {
      const worker = new Worker("setInterval(() => {}, 1000)", { eval: true });
      worker.on("error", () => (isOver = true));
      await Promise.race([once(worker, "online").catch(() => (isOver = true)), pause(2000)]);
      workers.push(worker);
    }
    const isBeyond = workers.length > MOST_PROCESSES || process.memoryUsage.rss() >= most;
    a.tell("threads at a time", isBeyond, `${workers.length}, ${process.memoryUsage.rss() >> 20} MiB`);
  },

  async "P35:anonymous"(a) {
    await a.attempt("memory beyond the limit", () => {
      const held = [];
      for (let taken = 0; taken < wantedBytes(a); taken += MIB) held.push(Buffer.alloc(MIB, 1));
      return `touched ${held.length} MiB`;
    });
  },

  async "P35:files"(a) {
    await a.attempt("/dev/shm beyond the limit", () => fill("/dev/shm/bomb", wantedBytes(a)));
  },

  async "P35:pipes"(a) {
    await a.attempt("pipes beyond the limit", () => {
      const wanted = wantedBytes(a) / 65536;
      for (let first = 0; first < wanted; first += 256) {
        const names = Array.from({ length: 256 }, (_, at) => `/tmp/pipe-${first + at}`);
        if (spawnSync("/usr/bin/mkfifo", names).status !== 0) throw refused("ENOSPC");
        for (const name of names)
          fs.writeSync(fs.openSync(name, fs.constants.O_RDWR | fs.constants.O_NONBLOCK), Buffer.alloc(65536, 1));
      }
      return `${wanted} full pipes`;
    });
  },

  async "P35:sockets"(a) {
    await a.attempt("bytes in sockets", async () => {
      let held = 0;
      const server = net.createServer({ pauseOnConnect: true }).listen("/tmp/sink.sock");
      await once(server, "listening");
      const block = Buffer.alloc(65536, 1);
      for (let count = 0; count < 8000 && held < wantedBytes(a); count++) {
        const made = net.connect("/tmp/sink.sock");
        await once(made, "connect");
        while (made.write(block));
        await pause(0);
        held += made.bytesWritten - made.writableLength;
      }
      return held;
    }, (held) => held >= wantedBytes(a));
  },

  async "P35:locked"(a) {
    await a.attempt("lock 16 MiB", () =>
      calls(["mmap", 0, 16 * MIB, 3, 0x22, -1, 0], ["mlock", "$0", 16 * MIB]));
    await a.attempt("raise the limit of locked memory", () => call("prlimit64", 0, 8, UNLIMITED, 0));
  },

  async "P36:descriptors"(a) {
    await a.attempt("raise the limit of open files", () =>
      call("prlimit64", 0, 7, "x:00000800000000000000080000000000", 0));
    await a.attempt("open files of one process", () => {
      let count = 0;
      try {
        for (; count < WANTED_DESCRIPTORS; count++) fs.openSync("/dev/null", "r");
      } catch (error) {
        if (error.code !== "EMFILE" && error.code !== "ENFILE") throw error;
      }
      return count;
    }, (count) => count >= WANTED_DESCRIPTORS);
  },

  async "P36:objects"(a) {
    const size = (2 * a.targets.memory_mib * MIB) / 4;
    const segments = [0, 1, 2, 3].flatMap((number) => [
      ["shmget", 0, size, 0o1600], ["shmat", `$${1 + 4 * number}`, 0, 0], ["shmctl", `$${1 + 4 * number}`, 0, 0],
      ["read", "$0", `$${2 + 4 * number}`, size],
    ]);
    await a.attempt("System V memory", () => calls(["openat", -100, "s:/dev/zero", 0], ...segments));
    await a.attempt("keys", () => call("add_key", "s:user", "s:lampion-test-bomb", "z:32000", 32000, -2));
  },

  async "P37:time"(a) {
    const children = Array.from({ length: 64 }, () =>
      spawn("/bin/sh", ["-c", "while :; do :; done"], { stdio: "ignore" }));
    await pause(200);
    const before = children.map(processorSeconds).reduce((one, other) => one + other);
    const started = process.hrtime.bigint();
    await pause(2000);
    const used = children.map(processorSeconds).reduce((one, other) => one + other) - before;
    const cores = used / (Number(process.hrtime.bigint() - started) / 1e9);
    a.tell("cores used", cores > 1.6 * a.targets.cpu_cores, cores.toFixed(2));
    for (const child of children) child.kill("SIGKILL");
  },

  async "P37:priority"(a) {
    await a.attempt("nice -20", () => {
      try {
        os.setPriority(0, -20);
      } catch (error) {
        throw refused(error.info?.code ?? error.code); // Node wraps the kernel's answer
      }
    });
    await a.attempt("real-time FIFO", () => call("sched_setscheduler", 0, 1, "x:01000000"));
    await a.attempt("real-time input and output", () => call("ioprio_set", 1, 0, 8192));
    await a.attempt("limit of real-time priority", () => call("prlimit64", 0, 14, UNLIMITED, 0));
    await a.attempt("limit of niceness", () => call("prlimit64", 0, 13, UNLIMITED, 0));
  },

  async "P38:space"(a) {
    await a.attempt("MiB written to /tmp", () => fill("/tmp/big", 1.5 * a.targets.tmp_mib * MIB));
  },

  async "P38:files"(a) {
    await a.attempt("files in /tmp", () => {
      for (let folder = 0; folder < WANTED_FILES / 1000; folder++) {
        fs.mkdirSync(`/tmp/${folder}.d`);
        for (let number = 0; number < 1000; number++) fs.closeSync(fs.openSync(`/tmp/${folder}.d/${number}`, "w"));
      }
      return WANTED_FILES;
    });
  },

  async P40(a) {
    const script = "setTimeout(() => {}, 600000); for (const s of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(s, () => {})";
    for (let count = 0; count < 3; count++)
      spawn(process.execPath, ["-e", script, a.targets.planted], { detached: true, stdio: "inherit" }).unref();
    await pause(300);
    a.tell("three daemons started", false, "what is left of them is looked at from outside");
  },
};
