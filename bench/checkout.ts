import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { openMirrors } from "../src/process/checkout.ts";
import { openWorkspaces } from "../src/process/workspace.ts";
import { type Measure, median } from "./support/measure.ts";

const execute = promisify(execFile);
const files = 5_000;
const rounds = 9;

export const measure: Measure = {
  title: `the second commit of a repository with ${files} files, ready to work in, against git init, fetch --depth 1 and checkout`,
  async run() {
    // A disk would measure itself: in memory the work is what is left.
    const folder = await mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "signalbox-bench-"));
    try {
      const host = await repository(join(folder, "host"));
      const source = { id: 1, cloneUrl: `file://${join(folder, "host")}`, token: async () => null };
      const mirrors = openMirrors(join(folder, "mirrors"), { protocols: ["file"] });
      const workspaces = openWorkspaces(mirrors, join(folder, "work"));
      await mirrors.fetch(source, "first", [await host.commit(0)]);
      const ours: number[] = [];
      const theirs: number[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        const sha = await host.commit(round);
        // Interleaved, each first in turn, so that what else the machine does falls on both.
        const measures = [
          async () => ours.push(await timeOfOurs(workspaces, source, sha, `run-${round}`)),
          async () => theirs.push(await timeOfGit(join(folder, "plain"), source.cloneUrl, sha)),
        ];
        for (const one of round % 2 === 0 ? measures : measures.toReversed()) await one();
      }
      const ratio = median(ours.map((time, round) => time / (theirs[round] ?? time)));
      const value = `${median(ours).toFixed(0)} ms against ${median(theirs).toFixed(0)} ms`;
      return [{ what: "checkout of a second commit", value, ratio, aim: { is: "at most", ratio: 0.6 } }];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** Until the work can begin; the removal afterwards is not part of it, on neither side. */
async function timeOfOurs(
  workspaces: ReturnType<typeof openWorkspaces>,
  source: Parameters<typeof workspaces.with>[0]["source"],
  sha: string,
  holder: string,
): Promise<number> {
  const began = performance.now();
  return workspaces.with({ source, sha, holder, stop: new AbortController().signal }, async () => performance.now() - began);
}

async function timeOfGit(folder: string, url: string, sha: string): Promise<number> {
  const began = performance.now();
  await git(dirname(folder), "init", "-q", folder);
  await git(folder, "fetch", "-q", "--depth", "1", url, sha);
  await git(folder, "checkout", "-q", "--detach", sha);
  const time = performance.now() - began;
  await rm(folder, { recursive: true });
  return time;
}

/** Texts of 4 KB, each of other lines of this project's own sources, so that they pack as sources do. */
async function texts(): Promise<(number: number) => string> {
  const source = join(import.meta.dirname, "..", "src");
  const names = (await readdir(source, { recursive: true })).filter((name) => name.endsWith(".ts")).toSorted();
  const lines = (await Promise.all(names.map((name) => readFile(join(source, name), "utf8")))).flatMap((text) =>
    text.split("\n"),
  );
  return (number) => Array.from({ length: 100 }, (_, line) => lines[(number * 7_919 + line * 104_729) % lines.length]).join("\n");
}

/** Files in 100 folders, of which every commit changes ten, as a pull request does. */
async function repository(folder: string) {
  const work = `${folder}-work`;
  await mkdir(work, { recursive: true });
  await git(dirname(folder), "init", "-q", "--bare", "-b", "main", folder);
  await git(work, "init", "-q", "-b", "main");
  const text = await texts();
  const write = async (number: number, round: number) => {
    const path = join(work, `src/folder-${number % 100}/file-${number}.ts`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `// ${round}\n${text(number)}`);
  };
  return {
    async commit(round: number): Promise<string> {
      const changed = Array.from({ length: round === 0 ? files : 10 }, (_, index) => index * (round === 0 ? 1 : 37));
      for (const number of changed) await write(number, round);
      await git(work, "add", "-A");
      await git(work, "commit", "-q", "-m", `round ${round}`);
      await git(work, "push", "-q", folder, "main");
      return (await git(work, "rev-parse", "HEAD")).trim();
    },
  };
}

async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const who = {
    GIT_AUTHOR_NAME: "A",
    GIT_AUTHOR_EMAIL: "a@example.com",
    GIT_COMMITTER_NAME: "A",
    GIT_COMMITTER_EMAIL: "a@example.com",
  };
  const env = { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", ...who };
  return (await execute("git", args, { cwd: folder, env })).stdout;
}
