import { resolveCommit } from "../git/commits.ts";
import { type Answer, notFound, ok, Refusal } from "../http/answers.ts";
import { type Call, type Route, repositoryRoute } from "../http/router.ts";
import { repositoryPage, repositoryUrl } from "../json/repository.ts";
import type { RepositoryState } from "../repository-state.ts";
import type { World } from "../world.ts";

/** Files and folders at a commit: https://docs.github.com/en/rest/repos/contents#get-repository-content */
export const contentRoutes: readonly Route[] = [
  repositoryRoute("GET", "/contents/:path*", ["contents:read"], contents),
  repositoryRoute("GET", "/contents", ["contents:read"], contents),
];

interface Entry {
  readonly mode: string;
  readonly type: string;
  readonly sha: string;
  readonly size: number;
  readonly path: string;
}

const MEGABYTE = 1024 * 1024;

async function contents(call: Call, repository: RepositoryState): Promise<Answer> {
  const path = (call.parameters.path ?? "").replace(/^\/+|\/+$/g, "");
  const ref = call.url.searchParams.get("ref") ?? repository.defaultBranch;
  const sha = await resolveCommit(repository.git, ref);
  if (!sha) throw new Refusal(404, `No commit found for the ref ${ref}`);
  const place = { world: call.world, repository, ref };
  const [itself] = path === "" ? [] : await list(repository, [sha, "--", path]);
  if (path !== "" && !itself) throw notFound();
  if (!itself || itself.type === "tree") {
    const entries = await list(repository, [path === "" ? sha : `${sha}:${path}`]);
    const inside = entries.map((entry) => ({ ...entry, path: path === "" ? entry.path : `${path}/${entry.path}` }));
    return ok(inside.map((entry) => entryJson(place, entry)));
  }
  return fileAnswer(call, place, itself);
}

interface Place {
  readonly world: World;
  readonly repository: RepositoryState;
  readonly ref: string;
}

/** Above 1 MB only the raw media type gives the content, above 100 MB nothing does. */
async function fileAnswer(call: Call, place: Place, entry: Entry): Promise<Answer> {
  const { repository } = place;
  if (entry.size > 100 * MEGABYTE) throw tooLarge();
  const accepted = String(call.headers.accept ?? "");
  if (/application\/vnd\.github(\.v3)?\.raw/.test(accepted)) {
    const bytes = await repository.git.bytes(["cat-file", "blob", entry.sha]);
    return { status: 200, body: bytes, headers: { "Content-Type": "application/vnd.github.raw+json; charset=utf-8" } };
  }
  const json = entryJson(place, entry);
  if (entry.mode === "120000") return ok({ ...json, target: await repository.git(["cat-file", "blob", entry.sha]) });
  if (entry.type !== "blob") return ok({ ...json, submodule_git_url: null });
  if (entry.size > MEGABYTE) return ok({ ...json, encoding: "none", content: "" });
  const bytes = await repository.git.bytes(["cat-file", "blob", entry.sha]);
  return ok({ ...json, encoding: "base64", content: bytes.toString("base64").replace(/(.{1,60})/g, "$1\n") });
}

function entryJson({ world, repository, ref }: Place, entry: Entry): Record<string, unknown> {
  const path = entry.path.split("/").map(encodeURIComponent).join("/");
  const self = `${repositoryUrl(world, repository)}/contents/${path}?ref=${encodeURIComponent(ref)}`;
  const git = `${repositoryUrl(world, repository)}/git/${entry.type === "tree" ? "trees" : "blobs"}/${entry.sha}`;
  const html = `${repositoryPage(world, repository)}/${entry.type}/${encodeURIComponent(ref)}/${path}`;
  const download = entry.type === "blob" ? `${repositoryPage(world, repository)}/raw/${encodeURIComponent(ref)}/${path}` : null;
  return {
    type: entry.mode === "120000" ? "symlink" : entry.type === "tree" ? "dir" : entry.type === "blob" ? "file" : "submodule",
    size: entry.size,
    name: entry.path.split("/").at(-1),
    path: entry.path,
    sha: entry.sha,
    url: self,
    git_url: git,
    html_url: html,
    download_url: download,
    _links: { self, git, html },
  };
}

async function list(repository: RepositoryState, args: readonly string[]): Promise<Entry[]> {
  const lines = (await repository.git(["--literal-pathspecs", "ls-tree", "-z", "--long", ...args]).catch(() => ""))
    .split("\0")
    .filter(Boolean);
  return lines.map((line) => {
    const [facts = "", path = ""] = line.split("\t");
    const [mode = "", type = "", sha = "", size = ""] = facts.split(/ +/);
    return { mode, type, sha, size: Number(size) || 0, path };
  });
}

function tooLarge(): Refusal {
  return new Refusal(403, "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API.", {
    errors: [{ resource: "Blob", field: "data", code: "too_large" }],
  });
}
