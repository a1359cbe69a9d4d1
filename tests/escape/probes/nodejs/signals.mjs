// P32-P33: signals to others, and the terminal of who started the server.

import fs from "node:fs";

import { contents, isNotEmpty, pause } from "./attempts.mjs";
import { call, calls } from "./calls.mjs";

const AT_FDCWD = -100;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;

export const probes = {
  async P32(a) {
    process.on("SIGUSR1", () => {});
    for (const who of ["victim", "sibling", "server"]) {
      const other = a.targets[`${who}_pid`];
      await a.attempt(`signal the ${who}`, () => process.kill(other, 0));
      await a.attempt(`handle of the ${who}`, () => call("pidfd_open", other, 0));
    }
    // Who was reached is seen from outside: the victim counts.
    await a.attempt("signal everybody", () => process.kill(-1, "SIGUSR1"), () => false);
    await a.attempt("signal the victim's group", () => process.kill(-a.targets.victim_pid, "SIGUSR1"));
    if (a.targets.is_bare) return;
    await a.attempt("kill process 1", async () => {
      for (const signal of ["SIGKILL", "SIGSTOP", "SIGTERM", "SIGSEGV", "SIGCHLD", "SIGHUP"]) process.kill(1, signal);
      await pause(100);
      const state = contents("/proc/1/stat").toString().split(") ").at(-1)[0];
      return "SRD".includes(state) ? "" : state;
    }, isNotEmpty);
  },

  async P33(a) {
    const terminals = ["/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/pts/0", "/dev/ptmx"];
    for (const terminal of terminals)
      await a.canOpen(`open ${terminal}`, terminal, fs.constants.O_RDWR | fs.constants.O_NOCTTY);
    for (const terminal of ["/dev/tty", `/proc/${process.pid}/fd/0`])
      await a.attempt(`type into ${terminal}`, () =>
        calls(["openat", AT_FDCWD, `s:${terminal}`, 2], ["ioctl", "$0", TIOCSTI, "x:20"]));
    await a.attempt("TIOCLINUX", () =>
      calls(["openat", AT_FDCWD, "s:/dev/tty0", 0o400], ["ioctl", "$0", TIOCLINUX, "x:06"]));
  },
};
