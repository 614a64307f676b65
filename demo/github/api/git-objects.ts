import { resolveCommit } from "../git/commits.ts";
import { notFound, ok } from "../http/answers.ts";
import { parameter, type Route, repositoryRoute } from "../http/router.ts";
import { repositoryUrl } from "../json/repository.ts";
import type { RepositoryState } from "../repository-state.ts";

/** Trees, blobs and refs: https://docs.github.com/en/rest/git */
export const gitObjectRoutes: readonly Route[] = [
  repositoryRoute("GET", "/git/trees/:sha*", ["contents:read"], async (call, repository) => {
    const sha = await treeOf(repository, parameter(call, "sha"));
    // Any value means recursively, even "0": https://docs.github.com/en/rest/git/trees#get-a-tree
    const recursive = call.url.searchParams.has("recursive") ? ["-r", "-t"] : [];
    const lines = (await repository.git(["ls-tree", "-z", "--long", ...recursive, sha])).split("\0").filter(Boolean);
    const url = `${repositoryUrl(call.world, repository)}/git`;
    const tree = lines.map((line) => {
      const [facts = "", path = ""] = line.split("\t");
      const [mode = "", type = "", object = "", size = ""] = facts.split(/ +/);
      const address = type === "commit" ? {} : { url: `${url}/${type}s/${object}` };
      return { path, mode, type, sha: object, ...(type === "blob" ? { size: Number(size) } : {}), ...address };
    });
    return ok({ sha, url: `${url}/trees/${sha}`, tree, truncated: false });
  }),
  repositoryRoute("GET", "/git/blobs/:sha", ["contents:read"], async (call, repository) => {
    const sha = parameter(call, "sha");
    if (!/^[0-9a-f]{40}$/.test(sha)) throw notFound();
    const bytes = await repository.git.bytes(["cat-file", "blob", sha]).catch(() => {
      throw notFound();
    });
    const url = `${repositoryUrl(call.world, repository)}/git/blobs/${sha}`;
    return ok({ sha, node_id: `B_${sha}`, url, size: bytes.length, encoding: "base64", content: bytes.toString("base64") });
  }),
  repositoryRoute("GET", "/git/ref/:ref*", ["contents:read"], async (call, repository) => {
    const ref = `refs/${parameter(call, "ref")}`;
    const sha = await resolveCommit(repository.git, ref);
    if (!sha) throw notFound();
    const url = `${repositoryUrl(call.world, repository)}/git`;
    return ok({
      ref,
      node_id: `REF_${sha}`,
      url: `${url}/${ref}`,
      object: { sha, type: "commit", url: `${url}/commits/${sha}` },
    });
  }),
];

/** A tree by its own SHA, or by that of a commit or a branch. */
async function treeOf(repository: RepositoryState, name: string): Promise<string> {
  const commit = await resolveCommit(repository.git, name);
  const start = commit ?? (/^[0-9a-f]{40}$/.test(name) ? name : null);
  if (!start) throw notFound();
  return repository.git(["rev-parse", "--verify", "--quiet", `${start}^{tree}`]).then(
    (sha) => sha.trim(),
    () => {
      throw notFound();
    },
  );
}
