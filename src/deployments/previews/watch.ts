import type { Database } from "../../database/connection.ts";
import { wantReconsidering } from "../../runs/reconsidering.ts";

/** Nothing rings when a preview has grown old, or when an event was lost: here it is remembered when to look again. */
export interface PreviewWatch {
  /** Has those repositories thought through whose time has come. */
  ring(): Promise<void>;
  /** Time alone changes something then; `null`: never. */
  lookAgain(repository: number, at: Date | null): void;
  /** Whether GitHub may be asked now which pull requests are open: at the first time, and then every ten minutes. */
  mayAsk(repository: number): boolean;
}

/** Milliseconds in which an event that was lost is noticed. */
const askEvery = 10 * 60_000;

/** Remembers in memory: after a start every repository that has previews is looked at. */
export function watchPreviews(database: Database, clock: () => number = Date.now): PreviewWatch {
  const due = new Map<number, number>();
  const asked = new Map<number, number>();
  let isFirst = true;
  return {
    async ring() {
      const now = clock();
      const repositories = isFirst ? await withPreviews(database) : [...due].filter(([, at]) => at <= now).map(([id]) => id);
      if (repositories.length > 0)
        await database.write(async (tx) => {
          for (const repository of repositories) await wantReconsidering(tx, repository);
        });
      isFirst = false;
      for (const repository of repositories) due.delete(repository);
    },
    lookAgain(repository, at) {
      due.set(repository, Math.min(at?.getTime() ?? Number.POSITIVE_INFINITY, clock() + askEvery));
    },
    mayAsk(repository) {
      const now = clock();
      if (now - (asked.get(repository) ?? Number.NEGATIVE_INFINITY) < askEvery) return false;
      asked.set(repository, now);
      return true;
    },
  };
}

async function withPreviews(database: Database): Promise<readonly number[]> {
  const rows = await database.read((db) => db.selectFrom("preview").select("repository").distinct().execute());
  return rows.map(({ repository }) => repository);
}
