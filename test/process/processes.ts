import { readdir, readFile } from "node:fs/promises";

/** The living processes whose command line holds this text; zombies have none. */
export async function processesNamed(text: string): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return pids.filter((_, index) => lines[index]?.includes(text)).map(Number);
}
