// P11-P14: /proc and /sys.

import fs from "node:fs";

import { contents, holdsSecret, isNotEmpty } from "./attempts.mjs";

const { O_WRONLY } = fs.constants;

function everyEnvironment() {
  const found = [];
  for (const name of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      found.push(contents(`/proc/${name}/environ`));
    } catch {
      continue;
    }
  }
  return Buffer.concat(found);
}

export const probes = {
  async P11(a) {
    for (const who of ["victim", "sibling"]) {
      const process = a.targets[`${who}_pid`];
      await a.read(`environment of the ${who}`, `/proc/${process}/environ`);
      await a.attempt(`memory map of the ${who}`, () => contents(`/proc/${process}/maps`), isNotEmpty);
      await a.read(`file of the ${who} through its root`, `/proc/${process}/root${a.targets.secret_file}`);
      await a.attempt(`descriptors of the ${who}`, () => fs.readdirSync(`/proc/${process}/fd`));
    }
    await a.attempt("memory of the victim", () => {
      const buffer = Buffer.alloc(64);
      const descriptor = fs.openSync(`/proc/${a.targets.victim_pid}/mem`, "r");
      fs.readSync(descriptor, buffer, 0, 64, a.targets.victim_address);
      return buffer;
    }, holdsSecret);
    await a.attempt("environments of all processes in sight", everyEnvironment, holdsSecret);
  },

  async P12(a) {
    const settings = ["kernel/core_pattern", "kernel/modprobe", "kernel/poweroff_cmd", "vm/drop_caches",
      "vm/overcommit_memory", "kernel/randomize_va_space", "fs/binfmt_misc/register", "kernel/ns_last_pid",
      "fs/suid_dumpable", "net/ipv4/ip_forward", "kernel/panic"];
    for (const name of settings)
      await a.canOpen(`open /proc/sys/${name} for writing`, `/proc/sys/${name}`, O_WRONLY);
    await a.canOpen("open sysrq-trigger for writing", "/proc/sysrq-trigger", O_WRONLY);
    for (const name of ["kcore", "kmsg", "timer_list", "sched_debug", "kpagecount", "vmallocinfo", "keys", "slabinfo"])
      await a.attempt(`read /proc/${name}`, () => contents(`/proc/${name}`, 4096), isNotEmpty);
    await a.attempt("addresses of the kernel", () => contents("/proc/kallsyms", 4096),
      (text) => /^[0-9a-f]*[1-9a-f][0-9a-f]* /.test(text.toString()));
  },

  async P13(a) {
    await a.attempt("files of cgroups open for writing", () => {
      const found = [];
      for (const name of fs.readdirSync("/sys/fs/cgroup", { recursive: true })) {
        if (!/(release_agent|notify_on_release|cgroup\.procs)$/.test(name)) continue;
        try {
          fs.closeSync(fs.openSync(`/sys/fs/cgroup/${name}`, O_WRONLY));
          found.push(name);
        } catch {
          continue;
        }
        if (found.length > 20) break;
      }
      return found;
    }, isNotEmpty);
    await a.attempt("place in the host's tree", () => contents("/proc/self/cgroup"), (text) => text.includes("lampion"));
    await a.attempt("list cgroups", () => fs.readdirSync("/sys/fs/cgroup"), isNotEmpty);
  },

  async P14(a) {
    for (const directory of ["/sys/kernel/debug", "/sys/kernel/security", "/sys/kernel/tracing", "/sys/firmware",
      "/sys/firmware/efi", "/sys/class/net", "/sys/devices", "/sys/fs/bpf", "/sys/module", "/sys/kernel"])
      await a.attempt(`list ${directory}`, () => fs.readdirSync(directory), isNotEmpty);
    await a.canOpen("open /sys/power/state for writing", "/sys/power/state", O_WRONLY);
  },
};
