import type { Git } from "./git.ts";

/** Where a branch was that is new, or is that is deleted. */
export const NOTHING = "0".repeat(40);

/** What a first commit is compared with; git knows it without storing it. */
export const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

const SHA = /^[0-9a-f]{40}$/;

export interface Commit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Signature;
  readonly committer: Signature;
  readonly message: string;
}

export interface Signature {
  readonly name: string;
  readonly email: string;
  readonly date: string;
}

/** A change of one commit: what is in `files` is written, `null` deletes. */
export interface Change {
  readonly branch: string;
  readonly parent: string | null;
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  readonly at: Date;
  readonly files: Readonly<Record<string, string | null>>;
}

/** Writes a commit on top of `parent`, moves the branch there and resolves with its SHA. A file that starts with `#!` is executable. */
export async function writeCommit(git: Git, change: Change): Promise<string> {
  const person = `${change.author.name} <${change.author.email}> ${Math.floor(change.at.getTime() / 1000)} +0000`;
  const files = Object.entries(change.files).map(([path, content]) =>
    content === null
      ? `D ${quoted(path)}\n`
      : `M ${content.startsWith("#!") ? "100755" : "100644"} inline ${quoted(path)}\n${data(content)}`,
  );
  const from = change.parent ? `from ${change.parent}\n` : "";
  const stream = `commit refs/heads/${change.branch}\nmark :1\nauthor ${person}\ncommitter ${person}\n${data(change.message)}${from}${files.join("")}get-mark :1\ndone\n`;
  return (await git(["fast-import", "--quiet", "--done", "--force"], stream)).trim();
}

/** Writes a commit object and moves nothing. */
export async function writeCommitObject(git: Git, commit: Omit<Commit, "sha">): Promise<string> {
  const person = ({ name, email, date }: Signature) => `${name} <${email}> ${Math.floor(Date.parse(date) / 1000)} +0000`;
  const parents = commit.parents.map((parent) => `parent ${parent}\n`).join("");
  const text = `tree ${commit.tree}\n${parents}author ${person(commit.author)}\ncommitter ${person(commit.committer)}\n\n${commit.message}\n`;
  return (await git(["hash-object", "-t", "commit", "-w", "--stdin"], text)).trim();
}

/** Commits by any revision arguments of `git log`, newest first unless `--reverse` is among them. */
export async function readCommits(git: Git, args: readonly string[], paths: readonly string[] = []): Promise<Commit[]> {
  const format = "%H%x1f%T%x1f%P%x1f%an%x1f%ae%x1f%aI%x1f%cn%x1f%ce%x1f%cI%x1f%B%x1e";
  const output = await git(["log", `--format=${format}`, ...args, "--", ...paths]);
  return output
    .split("\x1e")
    .map((entry) => entry.trimStart())
    .filter((entry) => entry !== "")
    .map((entry) => {
      const [sha = "", tree = "", parents = "", an = "", ae = "", ad = "", cn = "", ce = "", cd = "", message = ""] =
        entry.split("\x1f");
      return {
        sha,
        tree,
        parents: parents.split(" ").filter(Boolean),
        author: { name: an, email: ae, date: ad },
        committer: { name: cn, email: ce, date: cd },
        message: message.trimEnd(),
      };
    });
}

/** The commit that a SHA (7 digits or more), branch, tag or `refs/…` name stands for; `null` when there is none. Hostile names are safe. */
export async function resolveCommit(git: Git, name: string): Promise<string | null> {
  if (/[~^:?*[\\\s]|\.\.|@\{/.test(name)) return null; // the language of revisions, which is not for callers
  const sha = /^[0-9a-f]{7,40}$/i.test(name);
  const path = /^(heads|tags|pull)\//.test(name) ? [`refs/${name}`] : name.startsWith("refs/") ? [name] : [];
  const full = sha && name.length === 40;
  const refs = full ? new Map<string, string>() : await readRefs(git);
  for (const candidate of [`refs/heads/${name}`, `refs/tags/${name}`, ...path]) {
    const found = refs.get(candidate);
    if (found !== undefined) return found;
  }
  if (!sha) return null;
  const found = await git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]).catch(() => "");
  return SHA.test(found.trim()) ? found.trim() : null;
}

/** Full name → SHA of the commit, also behind a tag with a message. */
async function readRefs(git: Git): Promise<Map<string, string>> {
  const lines = (await git(["for-each-ref", "--format=%(refname) %(objectname) %(*objectname)"])).split("\n").filter(Boolean);
  return new Map(
    lines.map((line) => {
      const [ref = "", object = "", behind = ""] = line.split(" ");
      return [ref, behind || object];
    }),
  );
}

/** Branch name → SHA. */
export async function readHeads(git: Git): Promise<Map<string, string>> {
  const refs = [...(await readRefs(git))].filter(([ref]) => ref.startsWith(heads));
  return new Map(refs.map(([ref, sha]) => [ref.slice(heads.length), sha]));
}

const heads = "refs/heads/";

/** A commit counts as its own ancestor. */
export async function isAncestor(git: Git, ancestor: string, descendant: string): Promise<boolean> {
  return git(["merge-base", "--is-ancestor", ancestor, descendant]).then(
    () => true,
    () => false,
  );
}

function data(content: string): string {
  return `data ${Buffer.byteLength(content)}\n${content}\n`;
}

function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}
