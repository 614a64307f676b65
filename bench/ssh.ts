import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { sshArguments } from "../src/targets/ssh/access.ts";
import { destinationOf } from "../src/targets/ssh/destination.ts";
import { ssh } from "../src/targets/ssh/ssh.ts";
import { type Sshd, startSshd } from "../test/support/sshd.ts";
import { orderIn } from "../test/targets/order.ts";
import { type Measure, median } from "./support/measure.ts";

const run = promisify(execFile);
const rounds = 7;

export const measure: Measure = {
  title: "a release of 5,000 files to a server over ssh, 5 of them changed since the last one",
  async run() {
    const folder = await mkdtemp(join(tmpdir(), "signalbox-bench-"));
    const sshd = await startSshd({ direct: true });
    try {
      const workspace = join(folder, "workspace");
      await makeRepository(workspace);
      const deploy = await deployment(sshd, folder, workspace);
      const peer = await archiving(sshd, folder, workspace);
      await deploy();
      const [ours, theirs]: [number[], number[]] = [[], []];
      // Interleaved, so that what else the machine does falls on both.
      for (let round = 0; round < rounds; round += 1) {
        await change(workspace, round);
        ours.push(await timed(deploy));
        theirs.push(await timed(() => peer(round)));
      }
      const ratio = median(ours.map((time, round) => time / (theirs[round] ?? time)));
      const value = `${median(ours).toFixed(0)} ms, git archive | ssh tar x ${median(theirs).toFixed(0)} ms`;
      return [{ what: "target ssh, connecting included", value, ratio, aim: { is: "at most", ratio: 0.7 } }];
    } finally {
      await sshd.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function makeRepository(workspace: string): Promise<void> {
  for (let index = 0; index < 5_000; index += 1) {
    const path = fileOf(workspace, index);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `file ${index}\n`.repeat(50 + (index % 300)));
  }
  await run("git", ["init", "-q", workspace]);
  await commit(workspace);
}

function fileOf(workspace: string, index: number): string {
  return join(workspace, `src-${index % 50}`, `part-${index % 8}`, `file-${index}.txt`);
}

async function change(workspace: string, round: number): Promise<void> {
  for (let index = 0; index < 5; index += 1) await writeFile(fileOf(workspace, index * 911), `changed in round ${round}\n`);
  await commit(workspace);
}

async function commit(workspace: string): Promise<void> {
  const git = ["-C", workspace, "-c", "user.name=bench", "-c", "user.email=bench@example.com"];
  await run("git", [...git, "add", "-A"]);
  await run("git", [...git, "commit", "-q", "-m", "bench"]);
}

async function deployment(sshd: Sshd, folder: string, workspace: string): Promise<() => Promise<void>> {
  const order = orderIn(folder, { workspace, knownHosts: join(folder, "none"), secret: async () => sshd.key });
  const options = { host: sshd.name, path: "ours", key: "KEY", known_hosts: sshd.knownHosts, keep: 100 };
  const io = { write: async () => {}, stop: new AbortController().signal, remember: async () => {}, remembered: null };
  return async () => {
    const deployed = await ssh.deploy(options, order, io);
    if (deployed.kind !== "live") throw new Error(deployed.reason);
  };
}

/** What people do by hand, with the same options of ssh. */
async function archiving(sshd: Sshd, folder: string, workspace: string): Promise<(round: number) => Promise<void>> {
  const access = { key: join(folder, "key"), knownHosts: join(folder, "known_hosts") };
  await writeFile(access.key, sshd.key, { mode: 0o600 });
  await writeFile(access.knownHosts, sshd.knownHosts);
  const args = sshArguments(destinationOf(sshd.name), access).slice(0, -1);
  return async (round) => {
    const archive = spawn("git", ["-C", workspace, "archive", "HEAD"], { stdio: ["ignore", "pipe", "inherit"] });
    const remote = spawn("ssh", [...args, `mkdir -p theirs-${round} && tar x -C theirs-${round}`], {
      stdio: [archive.stdout, "ignore", "inherit"],
    });
    const code = await new Promise((resolve) => remote.once("close", resolve));
    if (code !== 0) throw new Error(`ssh ended with ${code}`);
  };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
