import { existsSync } from "node:fs";
import { chmod, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";

/**
 * Copies the database of a folder into one file while a server goes on writing it; the copy is as of one moment, checked, and on the disk when
 * this resolves. The key that opens its secrets is not in it. Rejects when the file is there already.
 */
export async function backUp(folder: string, file: string): Promise<void> {
  const source = join(folder, "signalbox.db");
  if (!existsSync(source)) throw new Error(`There is no database in ${folder} (DATA_DIR)`);
  if (existsSync(file)) throw new Error(`${file} is there already: give the backup a name of its own, or remove that file`);
  const part = `${file}.part`;
  await rm(part, { force: true });
  const connection = new DatabaseSync(source, { readOnly: true, timeout: 10_000 });
  try {
    // Written to by nobody else than us; nobody else may read it either.
    await (await open(part, "wx", 0o600)).close();
    await backup(connection, part, { rate: pagesAtOnce });
    checked(part);
    await chmod(part, 0o600);
    await synced(part);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw new Error(`The backup was not made: ${Error.isError(error) ? error.message : String(error)}`, { cause: error });
  } finally {
    connection.close();
  }
}

/** 16 MB, after which the server gets its turn. */
const pagesAtOnce = 4_096;

/** A copy that nobody could use is worse than none. The file must stand alone, without a log beside it. */
function checked(path: string): void {
  const copy = new DatabaseSync(path);
  try {
    copy.exec("pragma journal_mode = delete");
    const [row] = copy.prepare("pragma quick_check(1)").all();
    if (row?.quick_check !== "ok") throw new Error(`the copy is damaged (${row?.quick_check})`);
  } finally {
    copy.close();
  }
}

async function synced(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
