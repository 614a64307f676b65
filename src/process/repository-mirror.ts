import { readdir, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { GitError, type GitSetup } from "./git.ts";
import { tidyLargeFiles } from "./large-files.ts";
import {
  breakLocks,
  dropCommits,
  type Fetching,
  type GitSource,
  isMirror,
  keepCommits,
  keptCommits,
  type Mirror,
  makeMirror,
  sweepTemporary,
  tidyMirror,
} from "./mirror.ts";
import { removeTree } from "./remove-tree.ts";
import { sizeOf } from "./sizes.ts";

/** How many commits stay that nobody holds. */
const recent = 32;

/**
 * The mirror of one repository. What is damaged is not mended but made anew beside it, as the next generation in a folder of its own: live
 * checkouts borrow the objects of the old one, which stays until its holders are gone. Methods that change something are called one after the other.
 */
export class RepositoryMirror {
  readonly #below: string;
  readonly #id: number;
  readonly #setup: GitSetup;
  #generation: number | null = null;
  #damaged = false;
  /** What the mirror keeps, whoever holds it; what was used last stands last. It needs no look, and no git, to be held once more. */
  readonly #kept = new Set<string>();
  /** Holder → SHA → where it comes from: a submodule's commits have another address than the repository's own. */
  readonly #held = new Map<string, Map<string, GitSource>>();
  /** Earlier generation → those who may still borrow from it. */
  readonly #earlier = new Map<number, Set<string>>();

  constructor(below: string, id: number, setup: GitSetup) {
    this.#below = below;
    this.#id = id;
    this.#setup = setup;
  }

  get current(): Mirror {
    return this.#mirror(this.#generation ?? 1);
  }

  get isOpen(): boolean {
    return this.#generation !== null;
  }

  /** The next fetch makes it anew. */
  markDamaged(): void {
    this.#damaged = true;
  }

  /** Resolves with what `keepCommits` tells of those that were fetched. */
  async hold(source: GitSource, holder: string, shas: readonly string[], fetching: Fetching = {}): Promise<string> {
    await this.open();
    if (!this.#damaged && (await isMirror(this.current.folder))) {
      try {
        const missing = shas.filter((sha) => !this.#kept.has(sha));
        const told = missing.length > 0 ? await keepCommits(this.current, source, missing, fetching) : "";
        this.#remember(source, holder, shas);
        return told;
      } catch (error) {
        await sweepTemporary(this.current);
        if (!isDamage(error)) throw error;
      }
    }
    await this.#makeAnew(source, shas, fetching.stop);
    this.#remember(source, holder, shas);
    return "";
  }

  async release(holder: string): Promise<void> {
    await this.open();
    this.#held.delete(holder);
    for (const [generation, holders] of this.#earlier) {
      holders.delete(holder);
      if (holders.size > 0) continue;
      this.#earlier.delete(generation);
      await removeTree(this.#mirror(generation).folder);
    }
    await this.#dropOld();
  }

  /** Now and then, and not with each release: that takes a process. */
  async #dropOld(): Promise<void> {
    const held = new Set([...this.#held.values()].flatMap((commits) => [...commits.keys()]));
    const free = [...this.#kept].filter((sha) => !held.has(sha));
    if (free.length < 2 * recent || !(await isMirror(this.current.folder))) return;
    const old = free.slice(0, -recent);
    await dropCommits(this.current, old);
    for (const sha of old) this.#kept.delete(sha);
  }

  async tidy(): Promise<void> {
    await this.open();
    if (!(await isMirror(this.current.folder))) return;
    await tidyMirror(this.current);
    await tidyLargeFiles(this.current);
  }

  async measure(): Promise<{ readonly bytes: number; readonly usedAt: number }> {
    await this.open();
    const folders = [...this.#earlier.keys(), this.#generation ?? 1].map((generation) => this.#mirror(generation).folder);
    const sizes = await Promise.all(folders.map(sizeOf));
    const usedAt = (await stat(this.current.folder).catch(() => null))?.mtimeMs ?? 0;
    return { bytes: sizes.reduce((sum, bytes) => sum + bytes, 0), usedAt };
  }

  async removeUnlessHeld(): Promise<boolean> {
    await this.open();
    if (this.#held.size > 0) return false;
    await removeTree(this.current.folder);
    this.#kept.clear();
    return true;
  }

  /** Finds the newest generation and mends what a dead server left; the other methods do it when needed. For the first time nobody works there. */
  async open(): Promise<void> {
    if (this.#generation !== null) return;
    const names = await readdir(this.#below).catch(() => []);
    const generations = names.flatMap((name) => generationOf(name, this.#id) ?? []).toSorted((one, other) => other - one);
    const [newest = 1, ...others] = generations;
    for (const generation of others) await removeTree(this.#mirror(generation).folder);
    for (const name of names.filter((name) => name.startsWith(`.part-${this.#id}-`))) await removeTree(join(this.#below, name));
    const mirror = this.#mirror(newest);
    if (await isMirror(mirror.folder)) {
      await breakLocks(mirror);
      await sweepTemporary(mirror);
      // A damaged one cannot say.
      const kept = await keptCommits(mirror).catch(() => this.markDamaged());
      for (const sha of kept ?? []) this.#kept.add(sha);
    }
    this.#generation = newest;
  }

  async #makeAnew(source: GitSource, shas: readonly string[], stop: AbortSignal | undefined): Promise<void> {
    const old = this.#generation ?? 1;
    const exists = (await stat(this.#mirror(old).folder).catch(() => null)) !== null;
    const next = exists ? old + 1 : old;
    await makeMirror(this.#mirror(next), `.part-${this.#id}-`, async (part) => {
      await keepCommits(part, source, shas, { stop });
      for (const commits of this.#held.values()) {
        for (const [sha, from] of commits) {
          // Best effort: whoever holds a commit that is gone from the host too hears of it when he uses it.
          await keepCommits(part, from, [sha], { stop }).catch(() => stop?.throwIfAborted());
        }
      }
    });
    this.#kept.clear();
    for (const sha of await keptCommits(this.#mirror(next))) this.#kept.add(sha);
    this.#generation = next;
    this.#damaged = false;
    if (!exists) return;
    if (this.#held.size > 0) this.#earlier.set(old, new Set(this.#held.keys()));
    else await removeTree(this.#mirror(old).folder);
  }

  #remember(source: GitSource, holder: string, shas: readonly string[]): void {
    const held = this.#held.get(holder) ?? new Map<string, GitSource>();
    for (const sha of shas) {
      held.set(sha, source);
      this.#kept.delete(sha);
      this.#kept.add(sha);
    }
    this.#held.set(holder, held);
    // The time of its last use, by which the oldest are found.
    void utimes(this.current.folder, new Date(), new Date()).catch(() => {});
  }

  #mirror(generation: number): Mirror {
    return { folder: join(this.#below, generation === 1 ? `${this.#id}` : `${this.#id}.${generation}`), setup: this.#setup };
  }
}

/** What shows that a mirror's own files are wrong, whatever became of the call; a full disk is not that. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof GitError) || /No space left|quota exceeded|Too many open files|Cannot allocate/i.test(error.said))
    return false;
  // The host's files are not ours.
  const said = error.said.replaceAll(/^remote: .*$/gm, "");
  if (
    /reference is not a tree|unable to rename temporary|corrupt|inflate|unresolved delta|garbage|index file .*(small|match|version)|packfile .*(bad|cannot|not|match)|object file/i.test(
      said,
    )
  )
    return true;
  return (
    error.failure === "broken" &&
    /bad (object|tree|ref)|unable to (read|parse)|missing (blob|tree|object)|not a git repository|did not send all|valid object|packfile|index file|has not been fetched/i.test(
      said,
    )
  );
}

/** The repositories that have folders here. */
export async function repositoriesBelow(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder).catch(() => []);
  return [...new Set(names.flatMap((name) => /^([0-9]+)(\.[0-9]+)?$/.exec(name)?.[1] ?? []).map(Number))];
}

function generationOf(name: string, id: number): number | null {
  if (name === String(id)) return 1;
  const generation = /^([0-9]+)\.([0-9]+)$/.exec(name);
  return generation && Number(generation[1]) === id ? Number(generation[2]) : null;
}
