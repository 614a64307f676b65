import { z } from "zod";

/** `20261122T140501Z-4be07d1`; a second one within the same second ends in `.2`. */
export function releaseName(sha: string, now: Date, existing: readonly string[]): string {
  const second = now.toISOString().replace(/[-:]|\.\d+/g, "");
  const numbers = existing.flatMap((name) => {
    const release = parseRelease(name);
    return release?.second === second ? [release.number] : [];
  });
  const number = Math.max(0, ...numbers) + 1;
  return `${second}-${sha.slice(0, 7)}${number > 1 ? `.${number}` : ""}`;
}

/** The oldest releases beyond the newest `keep`, never the current one and never a folder that is not called like a release. */
export function releasesToRemove(names: readonly string[], current: string, keep: number): readonly string[] {
  const newestFirst = names
    .flatMap((name) => {
      const release = parseRelease(name);
      return release && name !== current ? [{ name, ...release }] : [];
    })
    .sort((a, b) => (a.second === b.second ? b.number - a.number : a.second < b.second ? 1 : -1));
  return newestFirst.slice(keep - 1).map(({ name }) => name);
}

/** The release that `current` points at, or that was remembered; null when it is none of ours. */
export function nameOf(path: string): string | null {
  const name = path.startsWith("releases/") ? path.slice("releases/".length) : "";
  return parseRelease(name) === null ? null : name;
}

/** The name of a release as `deploy` returned it, read back; null when there was none like that. */
export function rememberedName(release: unknown): string | null {
  const read = z.object({ path: z.string() }).safeParse(release);
  return read.success ? nameOf(read.data.path) : null;
}

function parseRelease(name: string): { readonly second: string; readonly number: number } | null {
  const [, second, number] = /^(\d{8}T\d{6}Z)-[0-9a-f]{7}(?:\.(\d+))?$/.exec(name) ?? [];
  return second === undefined ? null : { second, number: Number(number ?? 1) };
}
