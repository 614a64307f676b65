import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { knownWith, targetsWith } from "../../known.ts";
import { repositoryFilePath } from "../../repository-file/load.ts";
import { sayMistake } from "../../repository-file/mistake.ts";
import { parseRepositoryFile } from "../../repository-file/parse.ts";
import { home, readValues } from "../../settings/read-values.ts";
import { loadEnvironment } from "../../settings.ts";

/** Tells every mistake in a repository's file before it is pushed. 0 when there is none. */
export async function checkConfiguration(path = repositoryFilePath): Promise<number> {
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) throw new Error(`${path} cannot be read; call this in the repository's folder, or name the file`);
  const known = knownWith({ targets: await targetsWith(pluginsNow()) });
  const parsed = parseRepositoryFile(text, known, Number.POSITIVE_INFINITY);
  if (parsed.kind === "file") {
    const { checks, environments } = parsed.file;
    console.log(`${path} is right: ${list("check", checks)}, ${list("environment", environments)}`);
    return 0;
  }
  for (const mistake of parsed.mistakes)
    console.log(`${path}${mistake.line === undefined ? "" : `:${mistake.line}`}: ${sayMistake(mistake)}`);
  return 1;
}

/** Those of the server whose settings stand here; none where there is none. */
function pluginsNow(): readonly string[] {
  const { values } = readValues(loadEnvironment(home, process.env), { read: (path) => readFileSync(path, "utf8") });
  return values.PLUGINS ?? [];
}

function list(word: string, named: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(named);
  if (names.length === 0) return `no ${word}s`;
  return `${names.length} ${word}${names.length === 1 ? "" : "s"} (${names.join(", ")})`;
}
