import { sayMistake } from "../../src/repository-file/mistake.ts";
import { parseRepositoryFile } from "../../src/repository-file/parse.ts";
import type { RepositoryFile } from "../../src/repository-file/repository-file.ts";
import type { Known } from "../../src/repository-file/schema.ts";
import { known } from "./known.ts";

/** The sentences that people read about a file; none when it is accepted. */
export function says(text: string, server: Known = known): readonly string[] {
  const parsed = parseRepositoryFile(text, server);
  return parsed.kind === "file" ? [] : parsed.mistakes.map(sayMistake);
}

/** The file that a text stands for; throws its mistakes. */
export function accepted(text: string, server: Known = known): RepositoryFile {
  const parsed = parseRepositoryFile(text, server);
  if (parsed.kind === "mistakes") throw new Error(parsed.mistakes.map(sayMistake).join("\n"));
  return parsed.file;
}

/** The sentences about one check named `test`. */
export function saysOfCheck(check: string): readonly string[] {
  return says(`checks: { test: ${check} }`);
}

/** The sentences about one environment named `staging`, beside a check named `test`. */
export function saysOfEnvironment(environment: string): readonly string[] {
  return says(`checks: { test: { run: npm test } }\nenvironments: { staging: ${environment} }`);
}
