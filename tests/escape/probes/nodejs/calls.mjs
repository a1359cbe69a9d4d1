// System calls by number: Node has none of its own, so the package brings a program, as functions may.

import { spawnSync } from "node:child_process";
import os from "node:os";
import { fileURLToPath } from "node:url";

export const NATIVE = fileURLToPath(new URL("../native", import.meta.url));
const IS_X86 = process.arch === "x64";

// name: [x86-64, arm64]
const NUMBERS = {
  acct: [163, 89], add_key: [248, 217], adjtimex: [159, 171], bpf: [321, 280], chroot: [161, 51], clone: [56, 220],
  clone3: [435, 435], connect: [42, 203], delete_module: [176, 106], fanotify_init: [300, 262], flock: [73, 32], fsconfig: [431, 431],
  fsmount: [432, 432], fsopen: [430, 430], init_module: [175, 105], inotify_add_watch: [254, 27],
  inotify_init1: [294, 26], io_uring_register: [427, 427], io_uring_setup: [425, 425], ioctl: [16, 29],
  ioprio_set: [251, 30], kcmp: [312, 272], kexec_load: [246, 104], keyctl: [250, 219], mlock: [149, 228],
  mmap: [9, 222], mount: [165, 40], mount_setattr: [442, 442], move_mount: [429, 429], mprotect: [10, 226],
  mq_open: [240, 180], msgget: [68, 186], nanosleep: [35, 101], open_by_handle_at: [304, 265], openat: [257, 56],
  open_tree: [428, 428], perf_event_open: [298, 241], pidfd_getfd: [438, 438], pidfd_open: [434, 434],
  pivot_root: [155, 41], prlimit64: [302, 261], process_vm_readv: [310, 270], ptrace: [101, 117], read: [0, 63],
  reboot: [169, 142], request_key: [249, 218], sched_setscheduler: [144, 119], sendto: [44, 206], setns: [308, 268],
  sethostname: [170, 161], shmat: [30, 196], shmctl: [31, 195], shmget: [29, 194], socket: [41, 198],
  swapon: [167, 224], syncfs: [306, 267], syslog: [103, 116], unshare: [272, 97], umount2: [166, 39],
  userfaultfd: [323, 282],
};

export const NEW = {
  user: 0x10000000, mount: 0x20000, process: 0x20000000, network: 0x40000000, IPC: 0x08000000, "host name": 0x04000000,
  cgroup: 0x02000000,
};

const NAMES = Object.fromEntries(Object.entries(os.constants.errno).map(([name, number]) => [number, name]));

function answers(words) {
  const done = spawnSync(NATIVE, words, { encoding: "utf8", timeout: 20000 });
  if (done.error) throw done.error;
  if (done.signal) throw Object.assign(new Error(done.signal), { code: done.signal === "SIGSYS" ? "EPERM" : "EKILLED" });
  return JSON.parse(done.stdout);
}

function lastOf(results) {
  for (const [result, number] of results)
    if (result === -1) throw Object.assign(new Error(NAMES[number]), { code: NAMES[number] ?? `E${number}` });
  const [result, , hex] = results.at(-1);
  return { result, buffer: Buffer.from(hex, "hex"), toJSON: () => result };
}

// One call after the other in one process; the last result. Throws with the code of the first that failed.
export function calls(...steps) {
  const words = steps.map(([name, ...more]) => [NUMBERS[name][IS_X86 ? 0 : 1], ...more].join(" "));
  return lastOf(answers(["calls", ...words]));
}

export const call = (name, ...more) => calls([name, ...more]);

export const i386 = (number, ...more) => lastOf(answers(["i386", ...[number, ...more, 0, 0, 0].slice(0, 4).map(String)]));

export const byNumber = (number, ...more) => lastOf(answers(["calls", [number, ...more].join(" ")]));

export const sweep = (isBare) => answers(["sweep", isBare ? "1" : "0"]);

// For calls that check rights before their arguments, which are wrong here: any error but a refusal lets one through.
export function gate(name, ...more) {
  try {
    return `${name} returned ${call(name, ...more).result}`;
  } catch (error) {
    if (["EPERM", "EACCES", "ENOSYS"].includes(error.code)) throw error;
    return `${name} was let through: ${error.code}`;
  }
}

export const hexOf = (bytes) => `x:${Buffer.from(bytes).toString("hex")}`;

export function words64(...numbers) {
  const buffer = Buffer.alloc(8 * numbers.length);
  numbers.forEach((number, at) => buffer.writeBigUInt64LE(BigInt(number), 8 * at));
  return hexOf(buffer);
}
