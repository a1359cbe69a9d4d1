// P25-P28, P30, P31: the host's network, other machines, and being seen there.

import dgram from "node:dgram";
import dns from "node:dns/promises";
import net from "node:net";
import os from "node:os";

import { holdsSecret, isNotEmpty, pause, refused } from "./attempts.mjs";
import { call, calls, hexOf } from "./calls.mjs";

const PATIENCE_MILLISECONDS = 1500;

// What a listener says first.
const banner = (address) => new Promise((resolve, reject) => {
  const made = net.connect(address);
  const give_up = setTimeout(() => made.destroy(refused("ETIMEDOUT")), PATIENCE_MILLISECONDS);
  made.on("data", (content) => {
    made.destroy();
    resolve(content);
  });
  made.on("error", reject);
  made.on("close", () => {
    clearTimeout(give_up);
    reject(refused("ECONNRESET"));
  });
});

// Whether anybody listens.
const reaches = (address) => new Promise((resolve, reject) => {
  const made = net.connect(address, () => {
    made.destroy();
    resolve("connected");
  });
  made.setTimeout(PATIENCE_MILLISECONDS, () => made.destroy(refused("ETIMEDOUT")));
  made.on("error", reject);
});

// Node can't name an abstract socket exactly.
const abstractBanner = (name) => {
  const address = Buffer.concat([Buffer.from([1, 0, 0]), Buffer.from(name)]);
  return calls(["socket", 1, 1, 0], ["connect", "$0", hexOf(address), address.length], ["read", "$0", "z:128", 128]).buffer;
};

const datagram = (address, port) => new Promise((resolve, reject) => {
  const made = dgram.createSocket("udp4");
  const end = (action, value) => {
    clearTimeout(give_up);
    made.close();
    action(value);
  };
  const give_up = setTimeout(() => end(reject, refused("ETIMEDOUT")), PATIENCE_MILLISECONDS);
  made.on("message", (content) => end(resolve, content));
  made.on("error", (error) => end(reject, error));
  made.connect(port, address, (error) => (error ? end(reject, error) : made.send("leaked")));
});

async function openPorts(address, ports) {
  const found = [];
  for (let first = 0; first < ports.length; first += 100)
    await Promise.all(ports.slice(first, first + 100).map((port) => new Promise((resolve) => {
      const made = net.connect({ host: address, port, timeout: 200 }, () => found.push(port) && made.destroy());
      made.on("error", () => made.destroy());
      made.on("timeout", () => made.destroy());
      made.on("close", resolve);
    })));
  return found;
}

const range = (most) => Array.from({ length: most - 1 }, (_, at) => at + 1);

export const probes = {
  async P25(a) {
    const port = a.targets.listener_port;
    for (const host of ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::ffff:127.0.0.1", ...a.targets.host_addresses])
      await a.attempt(`listener at ${host}`, () => banner({ host, port }), holdsSecret);
    const sibling = { host: "127.0.0.1", port: a.targets.sibling_port };
    await a.attempt("sibling's listener", () => banner(sibling), holdsSecret);
  },

  async P26(a) {
    await a.attempt("abstract socket", () => abstractBanner(a.targets.abstract), holdsSecret);
    await a.attempt("sibling's abstract socket", () => abstractBanner(a.targets.sibling_abstract), holdsSecret);
    await a.attempt("socket in a directory", () => banner({ path: a.targets.unix_socket }), holdsSecret);
    for (const path of ["/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/systemd/private"])
      await a.attempt(path, () => reaches({ path }));
  },

  async P27(a) {
    for (const host of ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "::ffff:169.254.169.254"])
      await a.attempt(host, () => reaches({ host, port: 80 }));
  },

  async P28(a) {
    await a.attempt("raw ICMP", () => call("socket", 2, 3, 1));
    await a.attempt("packets and ARP", () => call("socket", 17, 3, 0x300));
    await a.attempt("foreign source address", () => new Promise((resolve, reject) => {
      const made = dgram.createSocket("udp4");
      made.on("error", reject);
      made.bind(0, "192.0.2.77", () => made.close(() => resolve("bound")));
    }));
    const own = new Set(a.targets.doors);
    await a.attempt("port scan of loopback",
      async () => (await openPorts("127.0.0.1", range(10000))).filter((port) => !own.has(port)), isNotEmpty);
    for (const address of a.targets.host_addresses)
      await a.attempt(`port scan of ${address}`, () => openPorts(address, range(200)), isNotEmpty);
    await a.attempt("other devices than loopback",
      () => Object.keys(os.networkInterfaces()).filter((name) => name !== "lo"), isNotEmpty);
  },

  async P30(a) {
    for (const address of ["127.0.0.1", ...a.targets.host_addresses])
      await a.attempt(`the host's name server at ${address}`, () => datagram(address, a.targets.udp_port));
    await a.attempt("a public name server", () => datagram("192.0.2.53", 53));
    await a.attempt("the resolver", () => dns.lookup("leaked.invalid"));
  },

  async P31(a) {
    const listen = (port) => new Promise((resolve, reject) => {
      const server = net.createServer((taken) => taken.destroy());
      server.on("error", reject);
      server.listen(port, "0.0.0.0", () => resolve(server));
    });
    await a.attempt("privileged port", async () => {
      (await listen(80)).close();
      return "bound to port 80";
    });
    const server = await listen(a.targets.visible_port);
    await pause(1000); // whether the host can connect is seen from there
    server.close();
    await a.attempt("steer the own network", () => calls(["socket", 2, 2, 0],
      ["ioctl", "$0", 0x8914, "x:6c6f00000000000000000000000000004100000000000000000000000000000000000000000000"]));
  },
};
