import { copy } from "../../elsewhere/text.ts";
import type { Io } from "../../process/io.ts";
import type { HerokuApi } from "./api.ts";

/** Copies an output into the log as it grows: what is written stays written when the stream breaks or is opened anew. */
export interface Output {
  /** Reads until the stream ends or `most` milliseconds are over; true when something new was written. `PassingTrouble` when it broke. */
  pour(address: string, stop: AbortSignal): Promise<boolean>;
}

export function outputOf(api: HerokuApi, io: Pick<Io, "write">, most: number): Output {
  const written = new Map<string, number>();
  const whole = new Set<string>();
  return {
    async pour(address, stop) {
      if (whole.has(address)) return false;
      // A stream that has silently died must not hide that what it shows has ended.
      const clock = AbortSignal.timeout(most);
      let news = false;
      try {
        const response = await api.output(address, AbortSignal.any([stop, clock]));
        if (response === null) return false;
        await copy("Heroku", response, written.get(address) ?? 0, io, (bytes) => {
          news = true;
          written.set(address, (written.get(address) ?? 0) + bytes);
        });
        whole.add(address);
      } catch (error) {
        if (stop.aborted || !clock.aborted) throw error;
      }
      return news;
    },
  };
}
