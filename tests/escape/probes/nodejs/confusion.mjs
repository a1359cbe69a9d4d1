// P42, P45 and X01-X10: what belongs to others, what sandboxes share, and this design's own corners.

import { randomBytes, randomUUID } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";

import { contents, contentsBelow, holdsSecret, isNotEmpty, pause, refused } from "./attempts.mjs";
import { call, calls } from "./calls.mjs";

const { O_WRONLY } = fs.constants;
const AT_FDCWD = -100;

export const probes = {
  async P42(a) {
    const { sibling_pid: sibling, sibling_file: name } = a.targets;
    await a.read("its environment", `/proc/${sibling}/environ`);
    await a.read("its /tmp by path", name);
    await a.read("its /tmp by its root", `/proc/${sibling}/root${name}`);
    await a.read("its /tmp by its directory", `/proc/${sibling}/cwd/../..${name}`);
    await a.attempt("anything of it in files", () =>
      contentsBelow("/tmp", "/dev/shm", "/run", "/var/tmp", a.targets.log_directory), holdsSecret);
  },

  async P45(a) {
    for (const directory of [`${a.targets.task}/__pycache__`, ...a.targets.caches, `${a.targets.task}/node_modules`])
      await a.attempt(`plant compiled code in ${directory}`, () => {
        const file = `${directory}/${a.targets.planted}.js`;
        if (directory.endsWith("node_modules")) fs.mkdirSync(directory);
        fs.writeFileSync(file, "");
        fs.unlinkSync(file);
        if (directory.endsWith("node_modules")) fs.rmdirSync(directory);
      });
    const file = a.targets.view_files[0];
    await a.attempt("map a shared page for writing", () =>
      calls(["openat", AT_FDCWD, `s:${file}`, 0], ["mmap", 0, 4096, 3, 1, "$0", 0]));
    await a.attempt("make a shared page writable", () =>
      calls(["openat", AT_FDCWD, `s:${file}`, 0], ["mmap", 0, 4096, 1, 1, "$0", 0], ["mprotect", "$1", 4096, 3]));
    a.tell("randomness", false, `${Math.random()} ${randomUUID()} ${randomBytes(8).toString("hex")}`);
  },

  async X01(a) {
    for (const shim of a.targets.shim_pids) {
      for (const name of ["environ", "maps", "auxv", "syscall", "stack", "smaps", "io"])
        await a.attempt(`read ${name}`, () => contents(`/proc/${shim}/${name}`), isNotEmpty);
      for (const name of ["oom_score_adj", "coredump_filter", "clear_refs", "comm"])
        await a.canOpen(`open ${name} for writing`, `/proc/${shim}/${name}`, O_WRONLY);
      // Anybody may open this one; the right is checked when it is written to.
      await a.attempt("timer slack", () => fs.writeFileSync(`/proc/${shim}/timerslack_ns`, "50000"));
      await a.attempt("limits", () => call("prlimit64", shim, 7, 0, "z:16"));
      await a.attempt("priority", () => {
        try {
          os.setPriority(shim, 19);
        } catch (error) {
          throw refused(error.info?.code ?? error.code);
        }
      });
    }
  },

  async X02(a) {
    for (const name of ["mountinfo", "mounts", "mountstats", "maps", "cgroup"])
      await a.attempt(`host paths in /proc/self/${name}`, () => contents(`/proc/self/${name}`, 1 << 20),
        (text) => a.targets.host_paths.some((path) => text.includes(path)));
  },

  async X03(a) {
    for (const directory of a.targets.watched)
      await a.attempt(`use of ${directory} by others`, () =>
        calls(["inotify_init1", 0o4000], ["inotify_add_watch", "$0", `s:${directory}`, 0x21],
          ["nanosleep", "x:000000000000000000a3e11100000000", 0], ["read", "$0", "z:128", 128]).buffer, isNotEmpty);
  },

  async X04(a) {
    await a.attempt("dump to a program of the host", () => {
      const limits = contents("/proc/self/limits").toString().match(/core file size\s+(\d+|unlimited)\s+(\d+|unlimited)/);
      const pattern = contents("/proc/sys/kernel/core_pattern").toString().trim();
      return pattern.startsWith("|") && limits[2] !== "1" ? pattern : "";
    }, isNotEmpty);
  },

  async X05(a) {
    await a.attempt("locks taken", () => {
      const seconds = "x:00000000000000000008af2f00000000";
      return calls(["openat", AT_FDCWD, `s:${a.targets.locked[0]}`, 0], ["flock", "$0", 6], ["nanosleep", seconds, 0]);
    }, () => false); // whether they hold anybody up is seen from outside
  },

  async X06(a) {
    await a.attempt("host name", () => os.hostname(), (name) => name === a.targets.machine.host_name);
    await a.attempt("identity of this boot", () => contents("/proc/sys/kernel/random/boot_id").toString().trim(),
      (text) => text === a.targets.machine.boot_id);
    await a.attempt("machine id", () => contents("/etc/machine-id"), isNotEmpty);
    await a.attempt("kernel command line", () => contents("/proc/cmdline"), (text) => text.length > 1);
  },

  async X07(a) {
    for (const score of ["-1000", "-1"])
      await a.attempt(`score ${score}`, () => fs.writeFileSync("/proc/self/oom_score_adj", score));
  },

  async X08(a) {
    for (const address of ["127.0.0.1", "0.0.0.0"])
      await a.attempt(`take the port at ${address}`, () => new Promise((resolve, reject) => {
        const server = net.createServer();
        server.on("error", reject);
        server.listen(a.targets.runtime_api_port, address, () => server.close(() => resolve(address)));
      }));
    await pause(0);
  },

  async X09(a) {
    for (const name of ["interrupts", "schedstat", "diskstats", "vmstat", "buddyinfo", "pagetypeinfo", "locks"])
      await a.attempt(`/proc/${name}`, () => contents(`/proc/${name}`, 4096), isNotEmpty);
  },

  async X10(a) {
    await a.attempt("the file system of a shared directory", () => {
      calls(["openat", AT_FDCWD, `s:${a.targets.views[0]}`, 0], ["syncfs", "$0"]);
      try {
        return call("syncfs", -1) && ""; // a filter answers in the kernel's place, and nothing is done
      } catch {
        return "flushed";
      }
    }, isNotEmpty);
  },
};
