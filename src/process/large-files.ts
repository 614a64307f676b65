import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { GitError, git } from "./git.ts";
import { downloadLargeFiles, type LargeFile } from "./large-file-host.ts";
import type { GitSource, Mirror } from "./mirror.ts";

/**
 * Configuration with which git puts the files of Git LFS (`filter=lfs`) in place of their pointers, as far as they are in the mirror, and notes
 * those that are not. It is a text of ours for `sh`; of the repository's it sees the pointer and the path, as values. `.lfsconfig` is not read:
 * it could name any host. See https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
 */
export const largeFileConfig = { "filter.lfs.smudge": 'f=%f; eval "$SIGNALBOX_SMUDGE"' } as const;

const smudge = `
mkdir -p "$SIGNALBOX_LARGE_FILES" && t=$(mktemp "$SIGNALBOX_LARGE_FILES/.part-XXXXXX") && cat > "$t" || exit 1
oid=; size=
if [ "$(wc -c < "$t")" -lt 1024 ]; then
  oid=$(sed -n '1{/^version https:\\/\\/git-lfs\\.github\\.com\\/spec\\/v1$/!q;};s/^oid sha256:\\([0-9a-f]\\{64\\}\\)$/\\1/p' "$t" | head -n 1)
  size=$(sed -n 's/^size \\([0-9]\\{1,15\\}\\)$/\\1/p' "$t" | head -n 1)
fi
if [ -z "$oid" ] || [ -z "$size" ]; then cat "$t"
elif [ -f "$SIGNALBOX_LARGE_FILES/$oid" ]; then touch "$SIGNALBOX_LARGE_FILES/$oid"; cat "$SIGNALBOX_LARGE_FILES/$oid"
else cat "$t"; printf '%s %s %s\\0' "$oid" "$size" "$f" >> "$SIGNALBOX_WANTED"
fi
rm -f "$t"
`;

/** Checks out with `checkOut`, which is given the environment that `largeFileConfig` needs, then fetches what was missing and puts it in its place. */
export async function bringLargeFiles(
  order: { readonly mirror: Mirror; readonly source: GitSource; readonly stop: AbortSignal | undefined },
  into: string,
  doing: string,
  checkOut: (env: Readonly<Record<string, string>>) => Promise<unknown>,
): Promise<void> {
  const { mirror, source, stop } = order;
  const store = storeOf(mirror);
  const repository = join(into, ".git");
  const wanted = join(repository, "large-files");
  const env = { SIGNALBOX_SMUDGE: smudge, SIGNALBOX_LARGE_FILES: store, SIGNALBOX_WANTED: wanted };
  await checkOut(env);
  const noted = await readFile(wanted, "utf8").catch(() => null);
  if (noted === null) return;
  await rm(wanted);
  const missing = noted.split("\0").flatMap((line) => parse(line) ?? []);
  await downloadLargeFiles({ source, setup: mirror.setup, stop }, missing, store);
  // Git leaves alone what it has just put there.
  for (const { path } of missing) await rm(join(into, path));
  const call = { repository, doing, stop, env, config: largeFileConfig, input: missing.map(({ path }) => `${path}\0`).join("") };
  await git(mirror.setup, call, ["-C", into, "checkout-index", "-q", "-f", "-u", "-z", "--stdin"]);
  if (await stat(wanted).catch(() => null)) throw new GitError("broken", doing, "large files are missing that had been fetched");
}

/** Removes what no checkout needed for two weeks. */
export async function tidyLargeFiles(mirror: Mirror): Promise<void> {
  const store = storeOf(mirror);
  for (const name of await readdir(store).catch(() => [])) {
    const file = await stat(join(store, name)).catch(() => null);
    if (file !== null && file.mtimeMs < Date.now() - 14 * 86_400_000) await rm(join(store, name), { force: true });
  }
}

function storeOf({ folder }: Mirror): string {
  return join(folder, "lfs");
}

function parse(line: string): (LargeFile & { readonly path: string }) | null {
  const [, oid, size, path] = /^([0-9a-f]{64}) ([0-9]+) (.+)$/s.exec(line) ?? [];
  return oid === undefined || path === undefined ? null : { oid, size: Number(size), path };
}
