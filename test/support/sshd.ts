import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";

const run = promisify(execFile);
const program = "/usr/sbin/sshd";

/** Why there can be no sshd in tests on this machine; null when there can. */
export const noSshd: string | null = whyNot();

/** A real sshd on loopback, with keys and a home folder of its own, reached through a line that can be cut. */
export interface Sshd {
  /** `user@127.0.0.1:port`, as a repository's file says it. */
  readonly name: string;
  readonly port: number;
  /** Where sessions start: relative paths lie in it. */
  readonly home: string;
  /** The private key that opens it. */
  readonly key: string;
  /** Its line in a `known_hosts`. */
  readonly knownHosts: string;
  /** Its host key's fingerprint. */
  readonly fingerprint: string;
  /** Ends every connection now, as a network does; new ones come through, unless refused. */
  cut(): void;
  /** Whether new connections come through. */
  open: boolean;
  /** Cuts the line once this many bytes more have come from the client. */
  cutAfter(bytes: number): void;
  stop(): Promise<void>;
}

export interface SshdOptions {
  /** Shell text before each session's command. */
  readonly first?: string;
  /** The home folder is a disk of this many bytes; needs root. */
  readonly diskSize?: number;
  /** Without the line that can be cut, which takes time of its own: for measures. */
  readonly direct?: boolean;
}

/** Starts one; what it keeps is below a temporary folder that `stop` removes. */
export async function startSshd({ first = "", diskSize, direct = false }: SshdOptions = {}): Promise<Sshd> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "signalbox-sshd-")));
  const home = join(folder, "home");
  await mkdir(home);
  for (const name of ["host", "user"])
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", join(folder, name)]);
  const publicKey = await readFile(join(folder, "user.pub"), "utf8");
  await writeFile(join(folder, "authorized_keys"), publicKey);
  await writeFile(join(folder, "session"), `#!/bin/sh\ncd ${home}\n${first}\neval "$SSH_ORIGINAL_COMMAND"\n`);
  await chmod(join(folder, "session"), 0o755);
  const behind = await freePort();
  await writeFile(join(folder, "config"), configOf(folder, behind));
  // What the machine's own service does before it starts; only root's sshd asks for it.
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  const sshd = await startProcess(folder, home, diskSize);
  const line = new Line(behind);
  const port = direct ? behind : await line.listen();
  const hostKey = (await readFile(join(folder, "host.pub"), "utf8")).split(" ").slice(0, 2).join(" ").trim();
  const fingerprint = (await run("ssh-keygen", ["-l", "-f", join(folder, "host.pub")])).stdout.split(" ")[1] ?? "";
  return {
    name: `${userInfo().username}@127.0.0.1:${port}`,
    port,
    home: diskSize === undefined ? home : `/proc/${sshd.pid}/root${home}`,
    key: await readFile(join(folder, "user"), "utf8"),
    knownHosts: `[127.0.0.1]:${port} ${hostKey}`,
    fingerprint,
    cut: () => line.cut(),
    cutAfter: (bytes) => line.cutAfter(bytes),
    get open() {
      return line.open;
    },
    set open(isOpen) {
      line.open = isOpen;
    },
    async stop() {
      line.close();
      const exit = new Promise((resolve) => sshd.once("exit", resolve));
      sshd.kill("SIGTERM");
      await exit;
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

function configOf(folder: string, port: number): string {
  const settings = {
    Port: port,
    ListenAddress: "127.0.0.1",
    HostKey: join(folder, "host"),
    AuthorizedKeysFile: join(folder, "authorized_keys"),
    ForceCommand: join(folder, "session"),
    PidFile: "none",
    StrictModes: "no",
    UsePAM: "no",
    PermitRootLogin: "yes",
    PasswordAuthentication: "no",
    KbdInteractiveAuthentication: "no",
    MaxStartups: "100",
    LogLevel: "INFO",
    // Or the shell of whoever runs the tests reads its start-up files before each command.
    SetEnv: `HOME=${join(folder, "home")}`,
    // Since 9.8 a few refused keys shut everybody from loopback out.
    ...(supports("PerSourcePenalties=no") ? { PerSourcePenalties: "no" } : {}),
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");
}

async function startProcess(folder: string, home: string, diskSize: number | undefined): Promise<ChildProcess> {
  const argv: [string, ...string[]] = [program, "-D", "-e", "-f", join(folder, "config")];
  const disk = `mount -t tmpfs -o size=${diskSize} tmpfs ${home} && exec "$0" "$@"`;
  const [command, ...args] = diskSize === undefined ? argv : ["unshare", "-m", "sh", "-c", disk, ...argv];
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  await new Promise<void>((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (data) => {
      said += data;
      if (said.includes("Server listening")) resolve();
    });
    child.once("exit", () => reject(new Error(`sshd does not start: ${said}`)));
  });
  return child;
}

/** Passes bytes on in both directions, until it is cut. */
class Line {
  open = true;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #left = Number.POSITIVE_INFINITY;

  constructor(behind: number) {
    this.#server = createServer((client) => {
      if (!this.open) return void client.resetAndDestroy();
      const server = dial(behind, "127.0.0.1");
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(one);
        one.on("error", () => {});
        one.on("close", () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
      client.on("data", (data) => {
        this.#left -= data.length;
        if (this.#left <= 0) this.cut();
      });
      client.pipe(server);
      server.pipe(client);
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    this.#left = Number.POSITIVE_INFINITY;
    for (const socket of this.#sockets) socket.destroy();
  }

  cutAfter(bytes: number): void {
    this.#left = bytes;
  }

  close(): void {
    if (this.#server.listening) this.#server.close();
    this.cut();
  }
}

function supports(option: string): boolean {
  try {
    execFileSync(program, ["-t", "-f", "/dev/null", "-h", "/dev/null", "-o", option], { stdio: "pipe" });
    return true;
  } catch (error) {
    return Error.isError(error) && "stderr" in error && !/Bad configuration option/.test(String(error.stderr));
  }
}

function whyNot(): string | null {
  if (!existsSync(program)) return "there is no sshd; install openssh-server";
  try {
    execFileSync("ssh", ["-V"], { stdio: "ignore" });
  } catch {
    return "there is no ssh; install openssh-client";
  }
  return null;
}
