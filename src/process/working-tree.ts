import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { git } from "./git.ts";
import { bringLargeFiles, largeFileConfig } from "./large-files.ts";
import type { GitSource, Mirror } from "./mirror.ts";
import { removeTree } from "./remove-tree.ts";
import { emptyPlaceOf, submodulesOf } from "./submodules.ts";

/** A commit to be checked out. */
export interface CheckOutOrder {
  readonly mirror: Mirror;
  readonly source: GitSource;
  readonly sha: string;
  /** Brings commits of a submodule into the mirror, and keeps them there as long as this one. */
  fetch(source: GitSource, shas: readonly string[]): Promise<void>;
  readonly stop: AbortSignal | undefined;
}

/** Makes a working tree with its submodules and large files, in a folder that must not exist; nothing is left there when it fails. */
export async function checkOutTree(order: CheckOutOrder, into: string): Promise<void> {
  await mkdir(dirname(into), { recursive: true, mode: 0o700 });
  await mkdir(into, { mode: 0o700 });
  try {
    await fill(order, into, "", 0);
  } catch (error) {
    await removeTree(into);
    throw error;
  }
}

/** A submodule of a submodule of … */
const deepest = 10;

async function fill(order: CheckOutOrder, into: string, path: string, depth: number): Promise<void> {
  const { mirror, sha, stop } = order;
  const repository = join(into, ".git");
  await makeRepository(repository, join(mirror.folder, "objects"));
  const doing = path === "" ? `check out ${sha}` : `check out ${sha} of the submodule ${path}`;
  const config = { "checkout.workers": String(await freeCores()), "checkout.thresholdForParallelism": "100", ...largeFileConfig };
  const call = { repository, doing, stop, config };
  await bringLargeFiles(order, into, doing, (env) =>
    git(mirror.setup, { ...call, env }, ["-C", into, "checkout", "-q", "--detach", sha]),
  );
  if (depth === deepest || !(await stat(join(into, ".gitmodules")).catch(() => null))) return;
  for (const submodule of await submodulesOf(order)) {
    const place = await emptyPlaceOf(into, submodule.path);
    const source = { ...order.source, cloneUrl: submodule.cloneUrl };
    await order.fetch(source, [submodule.sha]);
    await rm(place, { recursive: true });
    await mkdir(place, { mode: 0o700 });
    await fill({ ...order, source, sha: submodule.sha }, place, join(path, submodule.path), depth + 1);
  }
}

/** Workers that wait for each other's core take longer than one that has it. The fourth number is how many want to run at this moment. */
async function freeCores(): Promise<number> {
  const [, , , running = "1"] = (await readFile("/proc/loadavg", "utf8").catch(() => "")).split(" ");
  const others = Number.parseInt(running, 10) - 1;
  return Math.max(1, Math.min(8, availableParallelism() - others));
}

/** What `git init` would make, without its hooks, templates and look at the machine: it is a quarter of a small checkout's time. */
async function makeRepository(folder: string, objects: string): Promise<void> {
  const core = { repositoryformatversion: 0, filemode: true, bare: false, logallrefupdates: true };
  const lines = Object.entries(core).map(([key, value]) => `\t${key} = ${value}\n`);
  await Promise.all([
    mkdir(join(folder, "objects", "info"), { recursive: true }),
    mkdir(join(folder, "refs", "heads"), { recursive: true }),
  ]);
  await Promise.all([
    writeFile(join(folder, "HEAD"), "ref: refs/heads/main\n"),
    writeFile(join(folder, "config"), ["[core]\n", ...lines].join("")),
    writeFile(join(folder, "objects", "info", "alternates"), `${objects}\n`),
  ]);
}
