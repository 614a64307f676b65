import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** The absolute path of a program; null when no folder of `path` has it. Relative folders are passed over. */
export async function findProgram(program: string, path: string): Promise<string | null> {
  for (const folder of path.split(delimiter).filter((folder) => folder.startsWith("/"))) {
    const file = join(folder, program);
    const works = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (works) return file;
  }
  return null;
}
