import { readdir, readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";

/** The living processes whose command line holds this text; zombies have none. */
export async function processesNamed(text: string): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return pids.filter((_, index) => lines[index]?.includes(text)).map(Number);
}

/** Polls until the condition holds; fails after ten seconds. */
export async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 10_000; !(await condition()); await wait(10)) {
    if (Date.now() > deadline) throw new Error(`waited ten seconds in vain until ${what}`);
  }
}
