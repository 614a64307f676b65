import { readdir, readFile } from "node:fs/promises";

/** The living processes that carry this text in their command line and descend from one of those. */
export async function descendantsWith(text: string, ancestors: readonly number[]): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map<number, number>();
  const marked: number[] = [];
  for (const pid of pids) {
    const [line, status] = await Promise.all([read(pid, "cmdline"), read(pid, "status")]);
    parents.set(pid, Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    if (line.includes(text)) marked.push(pid);
  }
  const descends = (pid: number): boolean => ancestors.includes(pid) || (pid > 1 && descends(parents.get(pid) ?? 0));
  return marked.filter(descends);
}

/** Those of them that still live and still carry the text: a number may have been given anew. */
export async function stillThere(text: string, pids: readonly number[]): Promise<readonly number[]> {
  const lines = await Promise.all(pids.map((pid) => read(pid, "cmdline")));
  return pids.filter((_, index) => lines[index]?.includes(text) === true);
}

async function read(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
}
