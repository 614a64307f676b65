import { spawn } from "node:child_process";
import { randomInt, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, statfs, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { endOrphans, markedBy } from "../../src/process/orphans.ts";
import { type Bubblewrap, type Cell, makeScratch, probeSandbox, type Sandbox, sandboxed } from "../../src/process/sandbox.ts";
import { spawnCommand } from "../../src/process/spawn.ts";
import { readProcess } from "../../src/process/table.ts";
import { until } from "../support/until.ts";
import { processesNamed } from "./processes.ts";

const probe = await probeSandbox();
if (!probe.works) throw new Error(`these tests need a sandbox: ${probe.problem}. ${probe.fix}`);
const bubblewrap = probe.sandbox;
const none: Sandbox = { kind: "none" };

let folder: string;
let cell: Cell;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signalbox-sandbox-"));
  cell = {
    workspace: join(folder, "workspace"),
    scratch: join(folder, "scratch"),
    readable: [],
    writable: [],
    network: false,
    env: {},
    path: [],
  };
  await mkdir(cell.workspace);
  await makeScratch(cell.scratch);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function uniqueTime(): string {
  return `${randomInt(100_000, 999_999)}.${randomInt(100_000, 999_999)}`;
}

async function run(sandbox: Sandbox, script: string, changes: Partial<Cell> = {}) {
  let output = "";
  const write = async (piece: Uint8Array) => {
    output += Buffer.from(piece);
  };
  const command = sandboxed(sandbox, { ...cell, ...changes }, ["/bin/sh", "-c", script]);
  const ending = await spawnCommand(command, { write, stop: new AbortController().signal });
  return { ending, output };
}

/** What a script can do inside: its output when it passed, null when it failed. */
async function tries(script: string, changes: Partial<Cell> = {}): Promise<string | null> {
  const { ending, output } = await run(bubblewrap, script, changes);
  return ending.kind === "exited" && ending.code === 0 ? output : null;
}

describe("a command in the sandbox", () => {
  it("works in its workspace", async () => {
    await writeFile(join(cell.workspace, "file"), "text");
    expect(await tries("pwd; cat file; echo made > new")).toBe("/workspace\ntext");
    expect(await readFile(join(cell.workspace, "new"), "utf8")).toBe("made\n");
    expect(await tries("pwd", { workspaceIn: "/srv/elsewhere" })).toBe("/srv/elsewhere\n");
  });

  it("ends as it ended inside", async () => {
    expect((await run(bubblewrap, "exit 7")).ending).toEqual({ kind: "exited", code: 7 });
    expect((await run(bubblewrap, "kill -KILL $$")).ending).toEqual({ kind: "killed", signal: "SIGKILL" });
    const missing = sandboxed(bubblewrap, cell, ["no-such-program"]);
    expect(await spawnCommand(missing, { write: async () => {}, stop: new AbortController().signal })).toEqual({
      kind: "missing",
      program: "no-such-program",
    });
  });

  it("is an error, not an exit code, when the sandbox cannot be set up", async () => {
    await expect(run(bubblewrap, "true", { readable: [join(folder, "nowhere")] })).rejects.toThrow(
      /sandbox could not be set up: bwrap: .*nowhere/,
    );
  });

  it("has the given environment, a home and a temporary folder of its own, and nothing else", async () => {
    const env = { GREETING: "two words", EMPTY: "", LINES: "1\n2" };
    const output = await tries("/usr/bin/env -0", { env, path: ["/opt/tools/bin"] });
    expect(output?.split("\0").filter(Boolean).sort()).toEqual([
      "EMPTY=",
      "GREETING=two words",
      "HOME=/tmp/scratch/home",
      "LINES=1\n2",
      "PATH=/opt/tools/bin:/usr/local/bin:/usr/bin:/bin",
      "PWD=/workspace",
      "TMPDIR=/tmp/scratch/tmp",
    ]);
    expect(await tries("echo 1 > ~/file && cat $(mktemp) ~/file")).toBe("1\n");
  });

  it("finds no program of the repository before those that are said to come first", async () => {
    await mkdir(join(folder, "tools"));
    await writeFile(join(folder, "tools", "env"), "#!/bin/sh\necho ours\n");
    await chmod(join(folder, "tools", "env"), 0o755);
    expect(await tries("env", { readable: [join(folder, "tools")], path: [join(folder, "tools")] })).toBe("ours\n");
  });
});

/** A server of this machine that greets whoever comes. */
async function listeningOn(address: string) {
  const server = createServer((socket) => socket.end("reached")).listen(0, address);
  await once(server, "listening");
  const bound = server.address();
  return { port: typeof bound === "object" ? (bound?.port ?? 0) : 0, close: () => void server.close() };
}

/** Those of the addresses at which a command in the sandbox was greeted. */
async function reaches(addresses: readonly string[], port: number, changes: Partial<Cell>, sandbox: Sandbox = bubblewrap) {
  await writeFile(
    join(cell.workspace, "connect.cjs"),
    `for (const host of ${JSON.stringify(addresses)}) {
      const socket = require("net").connect({ port: ${port}, host, timeout: 2_000 });
      socket.on("data", () => console.log(host)).on("error", () => {}).on("timeout", () => socket.destroy());
    }`,
  );
  const { ending, output } = await run(sandbox, `${process.execPath} connect.cjs`, { readable: [process.execPath], ...changes });
  expect(ending).toEqual({ kind: "exited", code: 0 });
  return output.split("\n").filter(Boolean);
}

describe("what a command in the sandbox cannot do", () => {
  it("see other folders of the machine", async () => {
    await writeFile(join(folder, "secret"), "secret");
    await symlink(join(folder, "secret"), join(cell.workspace, "link"));
    expect(await tries(`cat ${join(folder, "secret")}`)).toBeNull();
    expect(await tries("cat link")).toBeNull();
    for (const path of ["/root", "/home", "/var", "/etc/shadow", "/etc/ssl/private", "/sys", "/.dockerenv"])
      expect(await tries(`ls ${path}`)).toBeNull();
    expect(await tries("ls /tmp; ls /run")).toBe("scratch\n");
  });

  it("see or signal processes other than its own", async () => {
    const output = await tries(`grep -hs . /proc/[0-9]*/comm; kill -0 ${process.pid} 2>/dev/null && echo reached`);
    expect(await tries("ls -d /proc/[0-9]* | wc -l")).toMatch(/^[1-5]\n$/);
    expect(output ?? "").not.toContain("reached");
  });

  it("write where it may only read", async () => {
    const mirror = join(folder, "mirror");
    await mkdir(mirror);
    await writeFile(join(mirror, "object"), "object");
    const changes = { readable: [mirror] };
    expect(await tries(`cat ${mirror}/object`, changes)).toBe("object");
    for (const path of [mirror, `${mirror}/object`, "/usr/bin/sh", "/usr/file", "/etc/passwd", "/file", "/bin/file"]) {
      expect(await tries(`[ -d ${path} ] && touch ${path}/new || echo changed >> ${path}`, changes)).toBeNull();
    }
    expect(await tries(`mount -o remount,rw,bind ${mirror}`, changes)).toBeNull();
    expect(await readFile(join(mirror, "object"), "utf8")).toBe("object");
  });

  it("write elsewhere than where it may", async () => {
    const site = join(folder, "site");
    await mkdir(site);
    expect(await tries(`echo live > ${site}/index.html`, { writable: [site] })).toBe("");
    expect(await readFile(join(site, "index.html"), "utf8")).toBe("live\n");
  });

  it("reach a server of the machine by its loopback, with network or without", async () => {
    const { port, close } = await listeningOn("127.0.0.1");
    const addresses = ["127.0.0.1", "10.0.2.2", "localhost"];
    try {
      expect(await reaches(addresses, port, { network: false })).toEqual([]);
      expect(await reaches(addresses, port, { network: true })).toEqual([]);
      // Where neither program is there it does, and the log of the start says so.
      expect(await reaches(["127.0.0.1"], port, { network: true }, { ...bubblewrap, network: null })).toEqual(["127.0.0.1"]);
    } finally {
      close();
    }
  });

  it("have any power, as whoever the server runs", async () => {
    expect(await tries("grep -h '^Cap' /proc/self/status | sort -u | cut -f2 | sort -u")).toBe("0000000000000000\n");
  });

  it("run code outside by the repository's environment", async () => {
    const proof = join(cell.workspace, "proof");
    const env = {
      LD_PRELOAD: "/workspace/evil.so",
      PATH: "/workspace",
      SHELLOPTS: "xtrace",
      PS4: `$(touch ${proof})`,
      LD_LIBRARY_PATH: ".",
    };
    const command = sandboxed(bubblewrap, { ...cell, env }, ["/bin/sh", "-c", "true"]);
    expect(command.env).toEqual({ PATH: "/usr/local/bin:/usr/bin:/bin" });
    expect(command.cwd).toBe("/");
  });

  it("add arguments to its sandbox by the repository's environment", async () => {
    const command = (env: Record<string, string>) => () => sandboxed(bubblewrap, { ...cell, env }, ["true"]);
    expect(command({ NAME: "value\0--bind\0/\0/" })).toThrow('the environment variable "NAME" cannot be passed on');
    expect(command({ "NAME\0--bind": "value" })).toThrow("cannot be passed on");
    expect(command({ "": "value" })).toThrow("cannot be passed on");
    expect(command({ "A=B": "value" })).toThrow("cannot be passed on");
  });

  it("show a secret in the process table", async () => {
    const secret = randomUUID();
    const command = sandboxed(bubblewrap, { ...cell, env: { TOKEN: secret } }, [
      "/bin/sh",
      "-c",
      "echo $TOKEN; tr '\\0' ' ' < /proc/self/cmdline",
    ]);
    let seen: readonly number[] = [];
    const write = async () => {
      seen = await processesNamed(secret);
    };
    await spawnCommand(command, { write, stop: new AbortController().signal });
    expect(seen).toEqual([]);
    expect(command.argv.join(" ")).not.toContain(secret);
  });
});

describe("nothing in the sandbox lives on", () => {
  const daemons = (time: string) =>
    `setsid sleep ${time} >/dev/null 2>&1 & setsid sh -c 'sleep ${time} & exit' & trap '' TERM; while [ $(ls -d /proc/[0-9]* | wc -l) -lt 5 ]; do :; done`;

  it("when the command has ended", async () => {
    const time = uniqueTime();
    expect((await run(bubblewrap, `${daemons(time)}; exit 3`)).ending).toEqual({ kind: "exited", code: 3 });
    expect(await processesNamed(time)).toEqual([]);
  });

  it("when it was stopped and did not listen", async () => {
    const time = uniqueTime();
    const stopping = new AbortController();
    const command = sandboxed(bubblewrap, cell, ["/bin/sh", "-c", `${daemons(time)}; echo ready; while :; do sleep 0.05; done`]);
    const ending = await spawnCommand(command, { write: async () => stopping.abort("cancelled"), stop: stopping.signal }, 100);
    expect(ending).toEqual({ kind: "stopped", reason: "cancelled" });
    expect(await processesNamed(time)).toEqual([]);
  });

  it("when it was stopped before it had begun", async () => {
    const time = uniqueTime();
    const stopping = new AbortController();
    const stopped = spawnCommand(sandboxed(bubblewrap, cell, ["sleep", time]), { write: async () => {}, stop: stopping.signal });
    stopping.abort("cancelled");
    expect(await stopped).toEqual({ kind: "stopped", reason: "cancelled" });
    expect(await processesNamed(time)).toEqual([]);
  });

  it("when it was asked to end and did", async () => {
    const stopping = new AbortController();
    let said = "";
    const write = async (piece: Uint8Array) => {
      said += Buffer.from(piece);
      if (said.includes("ready")) stopping.abort("superseded");
    };
    const command = sandboxed(bubblewrap, cell, [
      "/bin/sh",
      "-c",
      "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done",
    ]);
    expect(await spawnCommand(command, { write, stop: stopping.signal })).toEqual({ kind: "stopped", reason: "superseded" });
    expect(said).toBe("ready\nbye\n");
  });

  it.each([bubblewrap, none])("when the server is killed: $kind", async (sandbox) => {
    const time = uniqueTime();
    const mark = randomUUID();
    const script = `setsid sleep ${time} >/dev/null 2>&1 & setsid sh -c 'sleep ${time} & exit' & sleep ${time}`;
    const command = sandboxed(sandbox, { ...cell, mark: markedBy(mark) }, ["/bin/sh", "-c", script]);
    const parent = fileURLToPath(new URL("./dying-parent.ts", import.meta.url));
    const server = spawn(process.execPath, [parent, JSON.stringify(command)], { stdio: "ignore" });
    await until("three processes run", async () => (await processesNamed(`sleep\0${time}`)).length >= 3);

    server.kill("SIGKILL");
    await once(server, "exit");
    // Without a sandbox they live on until the next server looks.
    if (sandbox.kind === "none") expect(await endOrphans(mark)).toBeGreaterThanOrEqual(3);
    await until("all are gone", async () => (await processesNamed(time)).length === 0);
  });
});

describe("a command without a sandbox", () => {
  it("works in its workspace, with a home and a temporary folder of its own and the same environment", async () => {
    const { output } = await run(none, "/usr/bin/env; pwd", { env: { GREETING: "hello" }, path: ["/opt/tools/bin"] });
    expect(output.trim().split("\n").sort()).toEqual([
      cell.workspace,
      "GREETING=hello",
      `HOME=${cell.scratch}/home`,
      "PATH=/opt/tools/bin:/usr/local/bin:/usr/bin:/bin",
      `PWD=${cell.workspace}`,
      expect.stringMatching(/^SIGNALBOX_COMMAND=/),
      `TMPDIR=${cell.scratch}/tmp`,
    ]);
  });
});

const connected = [bubblewrap, ...(await withPasta())].filter(({ network }) => network !== null);

/** The same sandbox with the other program, where that is here too. */
async function withPasta(): Promise<readonly Bubblewrap[]> {
  const folders = (process.env.PATH ?? "").split(":").map((folder) => join(folder, "pasta"));
  const program = folders.find((file) => existsSync(file));
  return program === undefined ? [] : [{ ...bubblewrap, network: { kind: "pasta", program } }];
}

(connected.length > 0 ? describe : describe.skip).each(connected)("a command with network, by $network.kind", (sandbox) => {
  const address = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((one) => !one.internal && one.family === "IPv4")?.address;

  // With pasta the machine's own address is the sandbox's too.
  (address === undefined || sandbox.network?.kind === "pasta" ? it.skip : it)("reaches what listens for everybody", async () => {
    const { port, close } = await listeningOn(address ?? "");
    try {
      expect(await reaches([address ?? ""], port, { network: true }, sandbox)).toEqual([address]);
      expect(await reaches([address ?? ""], port, { network: false }, sandbox)).toEqual([]);
    } finally {
      close();
    }
  });

  it("asks a server of its own for names, not one on the machine's loopback", async () => {
    expect((await run(sandbox, "cat /etc/resolv.conf", { network: true })).output).toMatch(/^nameserver 10\.0\.2\.3$/m);
  });

  it("takes its network with it when it ends, also when it is killed or the server is", async () => {
    const time = uniqueTime();
    const mark = markedBy(randomUUID());
    const program = sandbox.network?.program ?? "";
    const helpersOf = async (pid: number) => (await processesNamed(program)).filter((one) => readProcess(one)?.parent === pid);
    const stopping = new AbortController();
    const command = sandboxed(sandbox, { ...cell, network: true, mark }, ["/bin/sh", "-c", `echo ready; exec sleep ${time}`]);
    let alive = 0;
    const write = async () => {
      alive = (await helpersOf(process.pid)).length;
      stopping.abort("cancelled");
    };
    await spawnCommand(command, { write, stop: stopping.signal }, 100);
    expect(alive).toBe(1);
    expect(await helpersOf(process.pid)).toEqual([]);

    const parent = fileURLToPath(new URL("./dying-parent.ts", import.meta.url));
    const server = spawn(process.execPath, [parent, JSON.stringify(command)], { stdio: "ignore" });
    await until("the command runs", async () => (await processesNamed(`sleep\0${time}`)).length === 1);
    const helpers = await helpersOf(server.pid ?? 0);
    expect(helpers).toHaveLength(1);
    server.kill("SIGKILL");
    await until("the command is gone", async () => (await processesNamed(time)).length === 0);
    await endOrphans(Object.values(mark)[0] ?? "");
    await until("its network is gone", async () => helpers.every((pid) => readProcess(pid) === null));
  });

  it("is an error when the network does not come, and nothing runs", async () => {
    const broken: Bubblewrap = { ...bubblewrap, network: { kind: "slirp4netns", program: "/bin/false", options: [] } };
    await expect(run(broken, "touch ran", { network: true })).rejects.toThrow("/bin/false gave the sandbox no network");
    const missing: Bubblewrap = { ...bubblewrap, network: { kind: "slirp4netns", program: join(folder, "no"), options: [] } };
    await expect(run(missing, "touch ran", { network: true })).rejects.toThrow("gave the sandbox no network");
    expect(existsSync(join(cell.workspace, "ran"))).toBe(false);
  });
});

const tight = { processes: 30, memory: 500_000_000, fileSize: 1_000_000, inMemory: 1_000_000, reserve: 0 };
const tightProbe = await probeSandbox(process.env.PATH, tight);
const bounded: Sandbox = tightProbe.works ? tightProbe.sandbox : none;

describe("a command that wants too much", () => {
  const isBounded = bubblewrap.processes.kind !== "none";
  const skipped = isBounded ? "" : " (skipped: nothing on this machine bounds processes)";

  (isBounded ? it : it.skip)(`has so many processes and no more, while others have theirs${skipped}`, async () => {
    const time = uniqueTime();
    const stopping = new AbortController();
    let most = 0;
    let another: Awaited<ReturnType<typeof run>> | undefined;
    const write = async () => {
      most = (await processesNamed(`sleep\0${time}`)).length;
      another = await run(bounded, "sleep 60 & sleep 0 && echo fine; kill $!");
      stopping.abort("seen");
    };
    // A shell that cannot fork ends, so one does the forking and another, which needs no more forks, waits.
    const script = `sh -c 'for one in $(seq 100); do sleep ${time} & done' 2>/dev/null; echo full; exec sleep ${time}`;
    const command = sandboxed(bounded, cell, ["/bin/sh", "-c", script]);
    await spawnCommand(command, { write, stop: stopping.signal }, 100);
    expect(most).toBeGreaterThan(10);
    expect(most).toBeLessThan(30);
    expect(another?.output).toContain("fine");
    expect(await processesNamed(time)).toEqual([]);
  });

  (isBounded ? it : it.skip)(`is ended with all its forks: a fork bomb${skipped}`, async () => {
    const name = randomUUID();
    const stopping = new AbortController();
    const bomb = sandboxed(bounded, cell, [
      "/bin/sh",
      "-c",
      'b() { b | b & }; b; b; echo lit; trap "" TERM; while :; do b; done',
      name,
    ]);
    const ending = await spawnCommand(bomb, { write: async () => stopping.abort("time is up"), stop: stopping.signal }, 300);
    expect(ending).toEqual({ kind: "stopped", reason: "time is up" });
    expect(await processesNamed(name)).toEqual([]);
    expect((await run(bounded, "true")).ending).toEqual({ kind: "exited", code: 0 });
  });

  it("writes no file and fills no memory beyond the limit", async () => {
    const fill = (file: string) => `head -c 1500000 /dev/zero > ${file} || true; wc -c < ${file}`;
    for (const file of ["file", "~/file", "/tmp/file", "/dev/shm/file", "/run/file"])
      expect(Number((await run(bounded, fill(file))).output.trim().split("\n").at(-1))).toBeLessThanOrEqual(1_048_576);
    expect((await run(bounded, fill("/dev/file"))).output).toContain("Read-only");
    expect((await run(bounded, "ls /dev; echo > /dev/null; : < /dev/zero; exec 3<> /dev/ptmx")).ending).toEqual({
      kind: "exited",
      code: 0,
    });
  });

  it("is ended when it fills the disk, before the disk is full", async () => {
    const { bavail, bsize } = await statfs(folder);
    const reserve = bavail * bsize - 50_000_000;
    const command = sandboxed({ ...bubblewrap, limits: { ...bubblewrap.limits, reserve } }, cell, [
      "/bin/sh",
      "-c",
      "for one in $(seq 100); do head -c 4000000 /dev/zero >> file; sleep 0.01; done",
    ]);
    const filling = spawnCommand(command, { write: async () => {}, stop: new AbortController().signal }, 200);
    await expect(filling).rejects.toMatchObject({
      name: "DiskFull",
      retryable: true,
      message: expect.stringContaining("make room"),
    });
    // Hundreds of megabytes are written; a busy disk takes its time.
  }, 180_000);

  it("leaves no control group behind", async () => {
    if (bubblewrap.processes.kind !== "control group") return;
    const part = /signalbox-[0-9a-f]{8}-[0-9a-f-]+/.exec((await tries("cat /proc/self/cgroup")) ?? "")?.[0];
    expect(part).toBeDefined();
    expect(await readdir(bubblewrap.processes.group.folder)).not.toContain(part);
  });
});

describe("the probe", () => {
  it("names what it found", () => {
    expect(bubblewrap).toMatchObject({
      kind: "bubblewrap",
      version: expect.stringMatching(/^[0-9.]+$/),
      program: expect.stringMatching(/^\/.*bwrap$/),
    });
  });

  it("says when bubblewrap is missing", async () => {
    expect(await probeSandbox(folder)).toEqual({
      works: false,
      problem: "bubblewrap (bwrap) is not installed",
      fix: expect.stringContaining("apt-get install bubblewrap"),
    });
  });

  it("says what bubblewrap said when it does not work", async () => {
    const words = "bwrap: Creating new namespace failed: Operation not permitted";
    await writeFile(
      join(folder, "bwrap"),
      `#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.0.1 && exit\necho '${words}' >&2\nexit 1\n`,
    );
    await chmod(join(folder, "bwrap"), 0o755);
    expect(await probeSandbox(folder)).toEqual({
      works: false,
      problem: expect.stringContaining(words),
      fix: expect.any(String),
    });
  });
});
