import type { Repository } from "../github/repository.ts";
import type { ReporterOptions } from "./reporter.ts";

/** The page of a run, which every status links to. */
export function runUrl({ owner, name }: Repository, id: number, { publicUrl }: Pick<ReporterOptions, "publicUrl">): string {
  return `${publicUrl}/${owner}/${name}/runs/${id}`;
}

/** The page of a commit and its repository file. */
export function commitUrl({ owner, name }: Repository, sha: string, { publicUrl }: Pick<ReporterOptions, "publicUrl">): string {
  return `${publicUrl}/-/config/${owner}/${name}/${sha}`;
}
