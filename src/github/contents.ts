import type { Installation } from "./github.ts";
import { GitHubProblem } from "./problem.ts";
import type { Repository } from "./repository.ts";

export type FileContent =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "none" }
  /** GitHub sends no content of files above 1 MB in this form, so a huge file never reaches our memory. */
  | { readonly kind: "too large"; readonly bytes: number };

/**
 * A file at a commit or branch. Rejects with a retryable problem when GitHub does not know the commit (yet): events can arrive
 * before the API shows what they are about. https://docs.github.com/en/rest/repos/contents#get-repository-content
 */
export async function readFile(
  github: Installation,
  { owner, name }: Repository,
  path: string,
  ref: string,
): Promise<FileContent> {
  try {
    const { data } = await github.request("GET /repos/{owner}/{repo}/contents/{path}", { owner, repo: name, path, ref });
    if (Array.isArray(data) || data.type !== "file" || !("content" in data)) return { kind: "none" };
    if (data.encoding !== "base64") return { kind: "too large", bytes: data.size };
    return { kind: "text", text: Buffer.from(data.content, "base64").toString("utf8") };
  } catch (error) {
    if (!(error instanceof GitHubProblem) || error.kind !== "missing") throw error;
    if (/no commit found/i.test(error.message))
      throw new GitHubProblem("unavailable", `GitHub does not know ${ref} yet`, { cause: error });
    return { kind: "none" };
  }
}

/** Files that differ between a branch and a head since they parted. GitHub lists at most 300; `complete` says whether that was all, `mergeBase` is the commit at which they parted. */
export async function filesChanged(
  github: Installation,
  { owner, name }: Repository,
  base: string,
  head: string,
): Promise<{ readonly files: readonly string[]; readonly complete: boolean; readonly mergeBase: string }> {
  const { data } = await github.request("GET /repos/{owner}/{repo}/compare/{basehead}", {
    owner,
    repo: name,
    basehead: `${base}...${head}`,
    per_page: 1,
  });
  const files = (data.files ?? []).flatMap((file) =>
    file.previous_filename === undefined ? [file.filename] : [file.filename, file.previous_filename],
  );
  return { files, complete: (data.files ?? []).length < 300, mergeBase: data.merge_base_commit.sha };
}

/** The commit that a branch points at. `null` when there is no such branch. */
export async function branchHead(github: Installation, { owner, name }: Repository, branch: string): Promise<string | null> {
  try {
    const { data } = await github.request("GET /repos/{owner}/{repo}/git/ref/{ref}", {
      owner,
      repo: name,
      ref: `heads/${branch}`,
    });
    return data.object.sha;
  } catch (error) {
    if (error instanceof GitHubProblem && error.kind === "missing") return null;
    throw error;
  }
}
