import { isAbsolute, normalize, parse, relative } from "node:path";
import { type RepositoryPattern, repositoryPattern } from "./repository-pattern.ts";
import { Wrong } from "./values.ts";

/** A folder that the `directory` target of some repositories may write to. */
export interface DeployPath {
  readonly repository: RepositoryPattern;
  /** Absolute and normalised. */
  readonly folder: string;
}

/** An absolute folder, normalised, without a slash at its end; never the root. */
export function absoluteFolder(text: string): string {
  if (!isAbsolute(text)) throw new Wrong(`"${text}" is not absolute; write the whole path, for example "/srv/shop"`);
  const folder = normalize(text).replace(/\/+$/, "");
  if (folder === "" || folder === parse(folder).root)
    throw new Wrong(`"${text}" is the root of the file system; name a folder below it`);
  return folder;
}

/** One `owner/name=/folder`. */
export function deployPath(text: string): DeployPath {
  const equals = text.indexOf("=");
  if (equals < 0) throw new Wrong(`"${text}" has no "="; write "owner/name=/folder"`);
  return { repository: repositoryPattern(text.slice(0, equals).trim()), folder: absoluteFolder(text.slice(equals + 1).trim()) };
}

/** Whether two folders are the same or one lies in the other; symbolic links are not followed. */
export function overlap(one: string, other: string): boolean {
  return isWithin(one, other) || isWithin(other, one);
}

function isWithin(inner: string, outer: string): boolean {
  const path = relative(outer, inner);
  return path === "" || (path !== ".." && !path.startsWith("../") && !isAbsolute(path));
}
