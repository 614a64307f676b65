/** Requests per token and hour: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api */
const LIMIT = 5000;
const WINDOW = 3_600_000;

/** Counts a request and says what is left, in the headers that every answer of GitHub carries. Nothing is refused here; faults do that. */
export type RateLimit = (token: string, now: Date) => Readonly<Record<string, string>>;

export function createRateLimit(): RateLimit {
  const windows = new Map<string, { used: number; readonly endsAt: number }>();
  return (token, now) => {
    const known = windows.get(token);
    const window = known && known.endsAt > now.getTime() ? known : { used: 0, endsAt: now.getTime() + WINDOW };
    window.used += 1;
    windows.set(token, window);
    return {
      "X-RateLimit-Limit": String(LIMIT),
      "X-RateLimit-Remaining": String(Math.max(0, LIMIT - window.used)),
      "X-RateLimit-Used": String(window.used),
      "X-RateLimit-Reset": String(Math.ceil(window.endsAt / 1000)),
      "X-RateLimit-Resource": "core",
    };
  };
}
