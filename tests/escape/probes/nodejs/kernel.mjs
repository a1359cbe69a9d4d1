// P15-P24: parts of the kernel that no function needs.

import fs from "node:fs";

import { holdsSecret } from "./attempts.mjs";
import { NEW, byNumber, call, calls, gate, hexOf, i386, sweep, words64 } from "./calls.mjs";

const SIGCHLD = 17;
const AT_FDCWD = -100;
const PTRACE_SEIZE = 0x4206;
const FAMILIES = { AF_ALG: 38, AF_VSOCK: 40, AF_PACKET: 17, AF_TIPC: 30, AF_KEY: 15, AF_RDS: 21, AF_CAN: 29,
  AF_BLUETOOTH: 31, AF_NFC: 39, AF_QIPCRTR: 42, AF_SMC: 43, AF_XDP: 44, AF_KCM: 41, AF_PPPOX: 24 };
const NETLINK = { USERSOCK: 2, SOCK_DIAG: 4, NFLOG: 5, XFRM: 6, AUDIT: 9, CONNECTOR: 11, NETFILTER: 12,
  KOBJECT_UEVENT: 15, GENERIC: 16, CRYPTO: 21 };

const others = (a) => [...new Set([...a.targets.shim_pids, a.targets.victim_pid, a.targets.sibling_pid])];

export const probes = {
  async P15(a) {
    for (const [kind, flag] of Object.entries(NEW)) {
      await a.attempt(`unshare ${kind}`, () => call("unshare", flag));
      await a.attempt(`clone ${kind}`, () => call("clone", flag | SIGCHLD, 0, 0, 0, 0));
      await a.attempt(`clone3 ${kind}`, () => call("clone3", words64(flag, 0, 0, 0, SIGCHLD, 0, 0, 0, 0, 0, 0), 88));
    }
    await a.attempt("unshare user, then mounts", () => calls(["unshare", NEW.user], ["unshare", NEW.mount]));
  },

  async P16(a) {
    for (const process of others(a)) {
      await a.attempt(`ptrace ${process}`, () => call("ptrace", PTRACE_SEIZE, process, 0, 0));
      await a.attempt(`descriptor of ${process}`, () =>
        calls(["pidfd_open", process, 0], ["pidfd_getfd", "$0", 0, 0]));
      await a.canOpen(`memory of ${process}`, `/proc/${process}/mem`, fs.constants.O_RDWR);
    }
    await a.attempt("read the victim's memory", () => {
      const buffer = Buffer.alloc(64);
      fs.readSync(fs.openSync(`/proc/${a.targets.victim_pid}/mem`, "r"), buffer, 0, 64, a.targets.victim_address);
      return buffer;
    }, holdsSecret);
    for (const process of a.targets.shim_pids)
      await a.attempt(`process_vm_readv of ${process}`, () =>
        gate("process_vm_readv", process, words64(0, 8), 1, words64(4096, 8), 1, 0));
  },

  async P17(a) {
    const map = hexOf(new Uint32Array([2, 4, 4, 1, ...Array(28).fill(0)]).buffer);
    await a.attempt("bpf map", () => call("bpf", 0, map, 72));
    for (const [name, flags] of [["own user code", 0x60], ["everything", 0]]) {
      const event = words64(1n | (128n << 32n), 0, 0, 0, 0, flags, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
      await a.attempt(`perf_event_open: ${name}`, () => call("perf_event_open", event, 0, -1, -1, 0));
    }
    await a.attempt("userfaultfd", () => call("userfaultfd", 0));
    await a.attempt("userfaultfd for user faults", () => call("userfaultfd", 1));
    await a.attempt("fanotify", () => call("fanotify_init", 0x200, 0));
  },

  async P18(a) {
    await a.attempt("io_uring_setup", () => call("io_uring_setup", 8, "z:120"));
    await a.attempt("io_uring_register", () => gate("io_uring_register", -1, 0, 0, 0));
  },

  async P19(a) {
    await a.attempt("add_key", () => call("add_key", "s:user", "s:lampion-test", "s:x", 1, -2));
    await a.attempt("request_key", () => gate("request_key", "s:user", "s:lampion-test-missing", 0, 0));
    for (const [name, ring] of [["session", -3], ["user", -4]])
      await a.attempt(`id of the ${name} keyring`, () => call("keyctl", 0, ring, 0));
    await a.attempt("join a session keyring", () => call("keyctl", 1, 0));
  },

  async P20(a) {
    await a.attempt("init_module", () => gate("init_module", "s:nothing", 7, "s:"));
    await a.attempt("delete_module", () => gate("delete_module", "s:lampion_test_missing", 0o4000));
    await a.attempt("kexec_load", () => gate("kexec_load", 0, 0, 0, 0xffff));
    await a.attempt("reboot", () => gate("reboot", 0xfee1dead, 672274793, 0x7fffffff, 0));
    await a.attempt("set the host name", () => call("sethostname", "s:lampion-test", 12));
    await a.attempt("swapon", () => gate("swapon", "s:/tmp/lampion-test-missing", 0));
    await a.attempt("process accounting", () => gate("acct", "s:/tmp/lampion-test-missing"));
    await a.attempt("read the kernel's log", () => call("syslog", 3, "z:256", 255));
    await a.attempt("set the clock", () => {
      const state = call("adjtimex", "z:208").buffer;
      state.writeUInt32LE(0x4000, 0); // the tick, to what it is
      return call("adjtimex", hexOf(state));
    });
  },

  async P21(a) {
    for (const process of [...others(a), "self"])
      for (const kind of ["net", "mnt", "pid", "user", "ipc", "uts", "cgroup"])
        await a.attempt(`enter ${kind} of ${process}`, () =>
          calls(["openat", AT_FDCWD, `s:/proc/${process}/ns/${kind}`, 0], ["setns", "$0", 0]));
    for (const number of [20, 21, 22, 4, 5])
      await a.attempt(`enter by descriptor ${number}`, () =>
        calls(["openat", AT_FDCWD, `s:/proc/${globalThis.process.pid}/fd/${number}`, 0], ["setns", "$0", 0]));
  },

  async P22(a) {
    for (const [name, family] of Object.entries(FAMILIES))
      for (const kind of [1, 2, 3, 5])
        await a.attempt(`${name} of kind ${kind}`, () => call("socket", family, kind, 0));
    for (const [name, protocol] of Object.entries(NETLINK))
      await a.attempt(`netlink ${name}`, () => call("socket", 16, 3, protocol));
    await a.attempt("netlink ROUTE: add an address", () => {
      const message = Buffer.alloc(32);
      message.writeUInt32LE(32, 0);
      message.writeUInt16LE(20, 4);
      message.writeUInt16LE(0x605, 6);
      message.writeUInt32LE(1, 8);
      message.set([2, 32, 0, 0, 1, 0, 0, 0, 8, 0, 2, 0, 127, 9, 9, 9].slice(0, 16), 16);
      const { buffer } = calls(["socket", 16, 3, 0], ["sendto", "$0", hexOf(message), 32, 0, "x:100000000000000000000000", 12],
        ["read", "$0", "z:64", 64]);
      const code = buffer.readInt32LE(16);
      if (buffer.readUInt16LE(4) === 2 && code < 0) throw Object.assign(new Error(String(code)), { code: `E${-code}` });
      return code;
    });
  },

  async P23(a) {
    if (process.arch !== "x64") {
      a.tell("32-bit ARM code", false, "a 64-bit process can't switch");
      return;
    }
    await a.attempt("i386 getpid", () => i386(20));
    await a.attempt("i386 unshare of a user namespace", () => i386(310, NEW.user));
    await a.attempt("x32 getpid", () => byNumber(0x40000000 + 39));
    await a.attempt("x32 unshare of a user namespace", () => byNumber(0x40000000 + 272, NEW.user));
  },

  async P24(a) {
    const answering = sweep(a.targets.is_bare);
    const allowed = a.targets.allowed_system_calls;
    if (allowed === null) {
      a.tell("sweep of 0..1023", true, `${answering.length} answer; no list is documented`);
      return;
    }
    const beyond = answering.filter((number) => !allowed.includes(number));
    a.tell("calls beyond the list", beyond.length > 0, JSON.stringify(beyond));
  },
};
