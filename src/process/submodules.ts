import { lstat, readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { GitError, type GitSetup, git } from "./git.ts";
import type { GitSource, Mirror } from "./mirror.ts";

/** Another repository's commit in a folder of this one. */
export interface Submodule {
  /** Below the repository's own folder. */
  readonly path: string;
  readonly sha: string;
  readonly cloneUrl: string;
}

/**
 * The submodules of a commit, pinned by its tree. An address that is not on the host of the repository itself, or that git would take for
 * something else than an address, is refused; so are more than a hundred of them. A folder that `.gitmodules` does not know stays empty.
 */
export async function submodulesOf(order: {
  readonly mirror: Mirror;
  readonly source: GitSource;
  readonly sha: string;
  readonly stop: AbortSignal | undefined;
}): Promise<readonly Submodule[]> {
  const { mirror, source, sha, stop } = order;
  const call = { repository: mirror.folder, doing: `read the submodules of ${sha}`, stop };
  const listed = await git(mirror.setup, call, ["config", "--blob", `${sha}:.gitmodules`, "--no-includes", "-z", "--list"]);
  const addresses = addressesOf(listed.output);
  const { output } = await git(mirror.setup, call, ["ls-tree", "-r", "-z", sha]);
  const links = output.split("\0").flatMap((line) => {
    const [, pinned, path] = /^160000 commit ([0-9a-f]{40})\t(.+)$/s.exec(line) ?? [];
    const address = path === undefined ? undefined : addresses.get(path);
    return pinned === undefined || path === undefined || address === undefined ? [] : [{ path, sha: pinned, address }];
  });
  if (links.length > 100)
    throw new GitError("refused", call.doing, `there are ${links.length} of them; at most 100 are checked out`);
  return links.map(({ path, sha, address }) => ({ path, sha, cloneUrl: resolveAddress(address, path, source, mirror.setup) }));
}

/** The folder that git left empty for a submodule; throws when it is anything else. */
export async function emptyPlaceOf(into: string, path: string): Promise<string> {
  const place = join(into, path);
  const isFolder = (await lstat(place)).isDirectory() && (await realpath(place)) === join(await realpath(into), path);
  if (isFolder && (await readdir(place)).length === 0) return place;
  throw new GitError("refused", `check out the submodule ${path}`, "its place is taken");
}

/** Path → address, of git's own reading of `.gitmodules`; see https://git-scm.com/docs/gitmodules. */
function addressesOf(listed: string): ReadonlyMap<string, string> {
  const sections = new Map<string, { path?: string; url?: string }>();
  for (const entry of listed.split("\0")) {
    const [, name, key, value] = /^submodule\.(.+)\.(path|url)\n(.*)$/s.exec(entry) ?? [];
    if (name === undefined || value === undefined) continue;
    sections.set(name, { ...sections.get(name), [key === "path" ? "path" : "url"]: value });
  }
  return new Map([...sections.values()].flatMap(({ path, url }) => (path && url ? [[path.replace(/\/+$/, ""), url]] : [])));
}

/**
 * As git understands it (a relative address starts from the repository's own), but `git@host:path` and `ssh://` are fetched like the repository
 * itself: the server has no key of its own, and its token is good for this host alone.
 */
function resolveAddress(address: string, path: string, source: GitSource, { protocols }: GitSetup): string {
  const refuse = (why: string): never => {
    const shown = JSON.stringify(address.slice(0, 200));
    throw new GitError("refused", `check out the submodule ${path}`, `its address ${shown} in .gitmodules ${why}`);
  };
  const own = URL.parse(source.cloneUrl) ?? refuse("cannot be compared with the repository's own");
  const url = parseAddress(address, own) ?? refuse(`is none that can be used here; write one on ${own.host}, or a relative one`);
  const isSameHost = url.protocol === "ssh:" ? url.hostname === own.hostname : url.host === own.host;
  if (!isSameHost) refuse(`is on another host; submodules come from ${own.host || "the repository's own host"} only`);
  if (url.protocol !== own.protocol && url.protocol !== "ssh:") {
    // An old http:// address of the same host is upgraded, never the other way round.
    if (!(url.protocol === "http:" && own.protocol === "https:")) refuse(`is not one of ${own.protocol}//${own.host}/`);
  }
  if (url.password || (url.username && url.protocol !== "ssh:")) refuse("holds a name or a password; leave them out");
  if (url.search || url.hash || url.pathname === "/") refuse("is not that of a repository");
  const cloneUrl = `${own.protocol}//${own.host}${url.pathname.replace(/\/+$/, "")}`;
  return protocols.includes(own.protocol.slice(0, -1)) ? cloneUrl : refuse(`is not one of ${protocols.join(", ")}`);
}

function parseAddress(address: string, own: URL): URL | null {
  // What git would take for an option, a helper ("ext::") or a line of its own.
  if (/^-|^[a-z0-9+.-]*::|[\0-\x20\x7f\\]/i.test(address)) return null;
  if (/^\.\.?\//.test(address)) {
    const base = own.pathname.replace(/\/+$/, "");
    const up = address.split("/").filter((part) => part === "..").length;
    // A URL stops at its host's top silently; git does not.
    if (up >= base.split("/").length) return null;
    return URL.parse(`${own.protocol}//${own.host}${base}/${address}`);
  }
  const [, user, host, path] = /^(?:([\w.-]+)@)?([\w.-]+):(?!\/\/)(.+)$/.exec(address) ?? [];
  if (host !== undefined) return URL.parse(`ssh://${user ?? "git"}@${host}/${path?.replace(/^\/+/, "")}`);
  return URL.parse(address);
}
