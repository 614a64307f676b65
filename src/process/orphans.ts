import { ancestry, everyProcess, killUntilGone, startedWith } from "./table.ts";

const name = "SIGNALBOX_SERVER";

/** The variable that everything a server starts carries, so that the next server finds it. The mark names the data directory, not the server's life. */
export function markedBy(mark: string): Readonly<Record<string, string>> {
  return { [name]: mark };
}

/**
 * Kills what a dead server with this mark left behind and returns how many processes that were; settles when none of them lives any more.
 * Called once, at start, by the server that holds the data directory's lock: it would end the work of a living one.
 */
export async function endOrphans(mark: string): Promise<number> {
  return killUntilGone(async () => {
    const processes = await everyProcess();
    // A server that was itself started by a check carries its mark too: neither it nor what started it is an orphan.
    const spared = ancestry(processes, process.pid);
    return processes.filter(({ pid }) => !spared.has(pid) && startedWith(pid, name, mark));
  });
}
