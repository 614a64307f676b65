import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { openPipe, type PipeOutput } from "./pipe.ts";

/** A program that gives a sandbox a network of its own, from which this machine's loopback cannot be reached. */
export type NetworkProgram =
  | { readonly kind: "slirp4netns"; readonly program: string; readonly options: readonly string[] }
  | { readonly kind: "pasta"; readonly program: string };

/** Where the program answers questions for names: the machine's own resolver may listen on its loopback. */
const nameServer = "10.0.2.3";

/** What `/etc/resolv.conf` says inside: the machine's own, with another server. */
export async function resolverSettings(): Promise<string> {
  const own = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  const kept = own.split("\n").filter((line) => /^(search|domain|options)\s/.test(line));
  return [...kept, `nameserver ${nameServer}`, ""].join("\n");
}

/**
 * Connects the namespace of a process and settles when the network is there; rejects with what the program said when it does not come. The
 * program ends with `end`. When this server dies slirp4netns ends by itself, pasta at the next server's start at the latest.
 */
export async function connect(
  network: NetworkProgram,
  pid: number,
  env: Readonly<Record<string, string>>,
): Promise<{ end(): Promise<void> }> {
  switch (network.kind) {
    case "slirp4netns": {
      const child = spawn(network.program, slirpArguments(network.options, pid), {
        stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
        env,
        cwd: "/",
        detached: true,
      });
      return connected(child, child.stdio[3] as Readable);
    }
    case "pasta": {
      // It opens the pipe by name, which a socket, Node's own "pipe", does not allow.
      const ready = await openPipe();
      const child = spawn(network.program, pastaArguments(pid), {
        stdio: ["ignore", "ignore", "pipe", ready.writingEnd],
        env,
        cwd: "/",
        detached: true,
        // It hides its environment, by which the next server would find it.
        argv0: [network.program, ...marksOf(env)].join(" "),
      });
      ready.closeWritingEnd();
      return connected(child, ready.output);
    }
  }
}

/** See https://manpages.debian.org/bookworm/slirp4netns/slirp4netns.1.en.html */
function slirpArguments(options: readonly string[], pid: number): readonly string[] {
  const always = ["--configure", "--mtu=65520", "--disable-host-loopback", "--ready-fd=3", "--exit-fd=4"];
  return [...always, ...options, String(pid), "tap0"];
}

/** See https://passt.top/builds/latest/web/passt.1.html: by default it forwards ports of the loopback both ways, and the gateway is this machine. */
function pastaArguments(pid: number): readonly string[] {
  const none = ["-t", "-u", "-T", "-U"].flatMap((option) => [option, "none"]);
  const user = process.getuid?.() === 0 ? ["--runas", "0:0"] : [];
  const always = ["--config-net", "--no-map-gw", "--dns-forward", nameServer, "--foreground", "--quiet"];
  return [...always, ...none, ...user, "--pid", "/dev/fd/3", String(pid)];
}

function marksOf(env: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(env).flatMap(([name, value]) => (name.startsWith("SIGNALBOX_") ? [`${name}=${value}`] : []));
}

async function connected(child: ChildProcess, ready: PipeOutput): Promise<{ end(): Promise<void> }> {
  let said = "";
  child.stderr?.on("data", (piece) => {
    if (said.length < 2_000) said += piece;
  });
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", (error) => {
      said += error.message;
      resolve();
    });
  });
  for (const stream of child.stdio) stream?.on("error", () => {});
  const end = async () => {
    child.kill("SIGKILL");
    await gone;
    for (const stream of child.stdio) stream?.destroy();
    ready.destroy();
  };
  // Ready is a first byte; the end without one is that the program gave up.
  const isReady = ready[Symbol.asyncIterator]()
    .next()
    .then(
      ({ done }) => done !== true,
      () => false,
    );
  if (await Promise.race([isReady, gone.then(() => false)])) return { end };
  await end();
  throw new Error(`${child.spawnfile} gave the sandbox no network: ${said.trim() || "it did not say why"}`);
}
