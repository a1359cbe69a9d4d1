// P01-P10: files of the host, of the platform and of other functions.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";

import { contents, contentsBelow, holdsSecret, isNotEmpty } from "./attempts.mjs";
import { call, calls, hexOf } from "./calls.mjs";

const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
const O_PATH = 0o10000000;
const AT_FDCWD = -100;

function plant(file) {
  fs.closeSync(fs.openSync(file, O_WRONLY | O_CREAT | O_EXCL, 0o644));
  fs.unlinkSync(file);
  return file;
}

export const probes = {
  async P01(a) {
    for (const file of [a.targets.secret_file, ...a.targets.data_files]) {
      const name = path.basename(file);
      await a.read(`read ${name}`, file);
      await a.read(`read ${name} through process 1's root`, `/proc/1/root${file}`);
      await a.read(`read ${name} by climbing`, `/proc/self/cwd/${"../".repeat(20)}${file}`);
    }
    await a.attempt("read /etc/shadow", () => contents("/etc/shadow"), (text) => text.includes(":"));
    await a.attempt("list root's home", () => fs.readdirSync("/root"));
    await a.attempt("list homes", () => fs.readdirSync("/home").filter((n) => n !== "sbx_user1051"), isNotEmpty);
  },

  async P02(a) {
    const inherited = [20, 21, 22, ...Array(16).keys()].filter((number) => number > 3);
    const links = () => inherited.flatMap((number) => {
      try {
        return [[number, fs.readlinkSync(`/proc/self/fd/${number}`)]];
      } catch {
        return [];
      }
    });
    // Node's own are epoll, event and io_uring handles, pipes and /dev/null.
    const foreign = () => links().filter(([, to]) => !/^(anon_inode|pipe|socket):|^\/(proc|dev\/null)/.test(to));
    await a.attempt("descriptors other than one's own", foreign, isNotEmpty);
    await a.attempt("read inherited files", () => {
      const parts = [];
      for (const [number] of foreign()) {
        const buffer = Buffer.alloc(4096);
        try {
          fs.readSync(number, buffer, 0, 4096, 0);
        } catch {
          continue;
        }
        parts.push(buffer);
      }
      return Buffer.concat(parts);
    }, holdsSecret);
    for (const number of inherited)
      await a.read(`climb from descriptor ${number}`, `/proc/self/fd/${number}${a.targets.secret_file}`);
    for (const shim of a.targets.shim_pids) {
      await a.attempt("list descriptors of the shim", () => fs.readdirSync(`/proc/${shim}/fd`));
      await a.attempt("enter the shim's directory", () => fs.readdirSync(`/proc/${shim}/cwd/`));
    }
  },

  async P03(a) {
    for (const file of ["/proc/self/exe", ...a.targets.shim_pids.map((shim) => `/proc/${shim}/exe`)]) {
      await a.canOpen(`open ${file} for writing`, file, O_WRONLY);
      await a.attempt(`open ${file} by a path descriptor`, () => {
        const handle = fs.openSync(file, O_PATH);
        return fs.openSync(`/proc/self/fd/${handle}`, O_WRONLY);
      });
    }
    await a.canOpen("open the launcher for writing", a.targets.launcher, O_WRONLY);
    for (const file of a.targets.interpreter_files) await a.canOpen(`open ${file} for writing`, file, O_WRONLY);
    await a.canOpen("open Node itself for writing", process.execPath, O_WRONLY);
  },

  async P04(a) {
    for (const view of a.targets.views)
      await a.attempt(`plant a file in ${view}`, () => plant(`${view}/${a.targets.planted}`));
    for (const file of a.targets.view_files) {
      await a.canOpen(`open ${file} for writing`, file, O_WRONLY);
      await a.attempt(`change the mode of ${file}`, () => fs.chmodSync(file, 0o666));
      await a.attempt(`change the times of ${file}`, () => fs.utimesSync(file, new Date(), new Date()));
      await a.attempt(`truncate ${file}`, () => fs.truncateSync(file, fs.statSync(file).size));
    }
  },

  async P05(a) {
    const outside = a.targets.outside.length > 0 ? a.targets.outside
      : ["/", "/var/tmp", "/run", "/home", "/root", "/etc", "/usr", "/mnt", "/srv", "/var", "/dev", "/sys"];
    await a.attempt("find a predecessor's files", () => contentsBelow("/tmp", "/dev/shm", "/run", "/var/tmp"),
      (text) => text.includes("lampion-secret-previous-"));
    await a.attempt("find a predecessor's System V memory", () => call("shmget", a.targets.shared_memory_key, 0, 0));
    await a.attempt("open a predecessor's message queue", () => call("mq_open", `s:${a.targets.queue}`, 0, 0, 0));
    for (const top of outside) await a.attempt(`write in ${top}`, () => plant(`${top}/${a.targets.planted}`));
  },

  async P06(a) {
    const secret = a.targets.secret_file;
    const place = `/tmp/${a.targets.planted}`;
    const link = (source) => {
      fs.linkSync(source, place);
      fs.unlinkSync(place);
      return source;
    };
    await a.attempt("hard link to a host file", () => link(secret));
    await a.attempt("hard link to /etc/shadow", () => link("/etc/shadow"));
    for (const directory of [a.targets.task, a.targets.log_directory])
      await a.attempt(`symbolic link in ${directory}`, () => {
        fs.symlinkSync(secret, `${directory}/${a.targets.planted}.link`);
        fs.unlinkSync(`${directory}/${a.targets.planted}.link`);
      });
    await a.attempt("swap a directory for a link", () => {
      fs.mkdirSync(`${place}/a`, { recursive: true });
      fs.renameSync(`${place}/a`, `${place}/b`);
      fs.symlinkSync(path.dirname(secret), `${place}/a`);
      try {
        return contents(`${place}/a/${path.basename(secret)}`);
      } finally {
        fs.rmSync(place, { recursive: true });
      }
    }, holdsSecret);
  },

  async P07(a) {
    const place = "/tmp/mounts/real";
    fs.mkdirSync(place, { recursive: true });
    await a.attempt("mount a tmpfs", () => call("mount", "s:tmpfs", `s:${place}`, "s:tmpfs", 0, 0));
    await a.attempt("mount a proc", () => call("mount", "s:proc", `s:${place}`, "s:proc", 0, 0));
    await a.attempt("bind /", () => call("mount", "s:/", `s:${place}`, 0, 0x5000, 0));
    await a.attempt("make / writable", () => call("mount", 0, "s:/", 0, 0x1020, 0));
    await a.attempt("mount_setattr", () => call("mount_setattr", AT_FDCWD, "s:/", 0, "z:32", 32));
    await a.attempt("fsopen, fsmount, move_mount", () => calls(["fsopen", "s:tmpfs", 0], ["fsconfig", "$0", 6, 0, 0, 0],
      ["fsmount", "$0", 0, 0], ["move_mount", "$2", "s:", AT_FDCWD, `s:${place}`, 4]));
    await a.attempt("open_tree", () => call("open_tree", AT_FDCWD, "s:/", 0x8001));
    await a.attempt("pivot_root", () => call("pivot_root", `s:${place}`, `s:${place}`));
    await a.attempt("chroot", () => call("chroot", `s:${place}`));
    await a.attempt("unshare mounts", () => call("unshare", 0x20000));
    for (const masked of ["/proc/kcore", "/proc/sys", "/tmp"])
      await a.attempt(`unmount ${masked}`, () => call("umount2", `s:${masked}`, 2));
  },

  async P08(a) {
    const { hex, type } = a.targets.handle;
    const head = Buffer.alloc(8);
    head.writeUInt32LE(hex.length / 2, 0);
    head.writeUInt32LE(type, 4);
    const handle = hexOf(Buffer.concat([head, Buffer.from(hex, "hex")]));
    for (const view of [...a.targets.views, "/", "/usr", "/tmp"])
      await a.attempt(`open the secret by its handle, from ${view}`, () =>
        calls(["openat", AT_FDCWD, `s:${view}`, 0], ["open_by_handle_at", "$0", handle, 0], ["read", "$1", "z:128", 128])
          .buffer, holdsSecret);
  },

  async P09(a) {
    const names = ["kvm", "mem", "kmsg", "fuse", "loop-control", "net/tun", "vda", "sda", "port", "tty0", "autofs",
      "vsock", "btrfs-control", "userfaultfd", "cpu/0/msr", "ptmx", "hwrng"];
    for (const name of names) await a.canOpen(`open /dev/${name}`, `/dev/${name}`);
    for (const directory of ["/tmp", "/dev/shm"])
      await a.attempt(`make a node in ${directory}`, () => {
        const node = `${directory}/node`;
        const done = spawnSync("/usr/bin/mknod", [node, "c", "1", "1"], { encoding: "utf8" });
        if (done.status !== 0) throw Object.assign(new Error(done.stderr), { code: "EPERM" });
        fs.unlinkSync(node);
      });
  },

  async P10(a) {
    for (const name of ["setuid", "capable"])
      await a.attempt(`run a ${name} program`, () => {
        const done = spawnSync(`${a.targets.layer}/${name}`, ["rights"], { encoding: "utf8" });
        if (done.error) throw done.error;
        return done.stdout.trim();
      }, (rights) => rights.split(" ")[0] === "0" || rights.split(" ")[1] !== "0");
    for (const program of ["/usr/bin/su", "/usr/bin/passwd", "/usr/bin/newgrp"])
      await a.attempt(`setuid through ${program}`, async () => {
        const child = spawn(program, { stdio: ["pipe", "ignore", "ignore"] });
        await once(child, "spawn");
        const status = contents(`/proc/${child.pid}/status`).toString();
        child.kill("SIGKILL");
        return Number(status.match(/Uid:\s+\d+\s+(\d+)/)[1]);
      }, (user) => user === 0);
  },
};
