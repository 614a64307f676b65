import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isBusy } from "./sqlite.ts";

/**
 * Holds the folder for the one server that may use it, until `destroy` or the death of the process. Throws when another server has it.
 * Node has no `flock`, but SQLite has locks that the operating system takes back from a dead process: a transaction that never ends.
 */
export function lockForServer(folder: string): { destroy(): Promise<void> } {
  const lock = new DatabaseSync(join(folder, "server.lock"));
  const pid = join(folder, "server.pid");
  try {
    lock.exec("begin exclusive");
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new Error(`Another Signalbox server${pidIn(pid)} uses ${folder}: stop it, or give this one a DATA_DIR of its own`, {
      cause: error,
    });
  }
  writeFileSync(pid, `${process.pid}\n`);
  held.add(lock);
  return {
    async destroy() {
      held.delete(lock);
      lock.close();
    },
  };
}

/** Whatever becomes of the database that it is for: garbage collection would close the lock, and let it go. */
const held = new Set<DatabaseSync>();

/** Only a hint for people: the lock decides, not this file. */
function pidIn(path: string): string {
  try {
    const pid = readFileSync(path, "utf8").trim();
    return /^\d+$/.test(pid) ? ` (pid ${pid})` : "";
  } catch {
    return "";
  }
}
