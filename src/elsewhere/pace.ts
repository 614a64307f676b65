/** How often another system is asked, and how long it may be in trouble; all in milliseconds. */
export interface Pace {
  /** Between two looks while something happens. */
  readonly first: number;
  /** Between two looks when nothing has happened for long. */
  readonly most: number;
  /** How long it may answer nothing useful before we give up for now. */
  readonly patience: number;
  /** How long what is being stopped may take to end. */
  readonly goodbye: number;
  /** For one request, but for logs. */
  readonly request: number;
}

export const usualPace: Pace = { first: 1_000, most: 15_000, patience: 300_000, goodbye: 20_000, request: 15_000 };

/** The next pause: short when something has happened, else half as long again. */
export function nextPause(pace: Pace, before: number, news: boolean): number {
  return news ? pace.first : Math.min(before * 1.5, pace.most);
}

/** Rejects with the reason of `stop`. */
export async function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  stop.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(stop.reason);
    };
    const timer = setTimeout(() => {
      stop.removeEventListener("abort", onAbort);
      resolve();
    }, milliseconds);
    stop.addEventListener("abort", onAbort, { once: true });
  });
}
