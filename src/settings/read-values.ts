import { resolve } from "node:path";
import { type Name, type Setting, settings, type Values } from "./table.ts";
import { Wrong } from "./values.ts";

/** The names and texts that a process was started with. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How the files that settings name are read. */
export interface Files {
  /** Throws when there is no such file; the path is absolute. */
  read(path: string): string;
  /** What relative paths start from; the folder of `package.json` when not given. */
  readonly folder?: string;
}

/** The folder of `package.json`, which relative paths start from wherever the server is started. */
export const home = resolve(import.meta.dirname, "../..");

/** Reads each setting by itself; a wrong one becomes a problem and is as if it had not been set. */
export function readValues(env: Environment, files: Files): { readonly values: Values; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const values = settings.map(([name, setting]) => {
    const { value, problem } = readOne(name, setting, env, files);
    if (problem !== undefined) problems.push(problem);
    return [name, value ?? (setting.fallback === undefined ? null : setting.read(setting.fallback))];
  });
  return { values: Object.fromEntries(values) as Values, problems };
}

/** Whether anything is said about a setting, rightly or wrongly; an empty text says nothing. */
export function isSaid(name: Name, env: Environment): boolean {
  return settings.some(([known, setting]) => known === name && sources(known, setting, env).length > 0);
}

interface Reading {
  readonly value?: unknown;
  readonly problem?: string;
}

function readOne(name: Name, setting: Setting, env: Environment, files: Files): Reading {
  const [source, second] = sources(name, setting, env);
  if (source === undefined) return {};
  if (second !== undefined) return { problem: `${source} and ${second} are both set; leave one of them out` };
  const said = env[source]?.trim() ?? "";
  if (source === name) return parse(name, setting, said);
  const path = resolve(files.folder ?? home, said);
  try {
    return parse(`${name} (in the file that ${source} names)`, setting, files.read(path).trim());
  } catch (error) {
    return {
      problem: `${source}: "${path}" cannot be read (${reason(error)}); correct the path, or let the server's user read the file`,
    };
  }
}

function parse(subject: string, setting: Setting, text: string): Reading {
  if (text === "") return { problem: `${subject} is empty; fill it` };
  try {
    return { value: setting.read(text) };
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return { problem: `${subject}${error.message.startsWith('"') ? ":" : ""} ${error.message}` };
  }
}

/** The names in the environment that say something about a setting. */
function sources(name: Name, setting: Setting, env: Environment): readonly string[] {
  const possible = setting.secret ? [name, `${name}_FILE`] : [name];
  if (name === "PRIVATE_KEY") possible.push("PRIVATE_KEY_PATH");
  return possible.filter((source) => (env[source]?.trim() ?? "") !== "");
}

function reason(error: unknown): string {
  return Error.isError(error) && "code" in error && typeof error.code === "string" ? error.code : "unknown reason";
}
