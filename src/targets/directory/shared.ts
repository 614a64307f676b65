import { lstat } from "node:fs/promises";
import { Refusal } from "../release/refusal.ts";
import type { Folder } from "./folder.ts";

/** Makes the shared folders that are missing; throws a `Refusal` for a shared file that is. */
export async function prepareShared(site: Folder, shared: readonly string[]): Promise<void> {
  if (shared.length === 0) return;
  await using folder = await site.make("shared");
  for (const path of shared) await prepare(folder, path.split("/").filter(Boolean), path);
}

async function prepare(folder: Folder, [name = "", ...rest]: readonly string[], path: string): Promise<void> {
  const last = rest.length === 0;
  const found = await lstat(folder.at(name)).catch(() => null);
  // Whatever it is, a link to another disk included, it was put there on purpose.
  if (last && found && (!path.endsWith("/") || !found.isFile())) return;
  if (last && !path.endsWith("/"))
    throw new Refusal(
      `shared: ${JSON.stringify(path)} is missing; put the file into the folder shared, or write ${JSON.stringify(`${path}/`)} for a folder`,
    );
  if (found && !found.isDirectory()) throw new Refusal(`shared: ${JSON.stringify(path)} meets a file in the folder shared`);
  await using inner = await folder.make(name);
  if (!last) await prepare(inner, rest, path);
}
