import type { Io } from "../process/io.ts";
import { type Pace, pause } from "./pace.ts";
import { PassingTrouble } from "./trouble.ts";

/** Does something again while the other system is in passing trouble, as long as patience lasts; then the last trouble is thrown. */
export async function withPatience<T>(work: () => Promise<T>, pace: Pace, stop: AbortSignal, io: Pick<Io, "write">): Promise<T> {
  const since = performance.now();
  for (let wait = pace.first; ; wait = Math.min(wait * 2, pace.most)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PassingTrouble)) throw error;
      const next = error.pause ?? wait;
      if (performance.now() - since + next > pace.patience) throw error;
      if (wait === pace.first) await io.write(Buffer.from(`${error.message}; trying again\n`));
      await pause(next, stop);
    }
  }
}
