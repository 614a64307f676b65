import { GitHubProblem } from "./problem.ts";

/** GitHub's wish to be left alone for a while, by one installation. */
export interface Pause {
  /** Throws while it lasts: nothing is sent then. */
  check(): void;
  /** Hears of a problem; answers with the one to hand on, which says until when to wait if GitHub wants us to. */
  after(problem: GitHubProblem): GitHubProblem;
  /** Hears of an answer that GitHub gave as it should. */
  afterSuccess(headers: Readonly<Record<string, string | number | undefined>>): void;
  /** Another replica was asked to wait so many milliseconds. */
  atLeast(milliseconds: number): void;
}

const minute = 60_000;
/** A secondary limit without a time doubles the wait each time, up to this. */
const longestGuess = 16 * minute;

/** `clock` tells people the time; `uptime` never goes back and is what decides. Both in milliseconds. */
export function createPause(clock: () => number, uptime: () => number): Pause {
  let until = Number.NEGATIVE_INFINITY;
  let guesses = 0;

  function left(): number {
    return Math.max(0, until - uptime());
  }

  function atLeast(milliseconds: number): void {
    until = Math.max(until, uptime() + milliseconds);
  }

  /** Requests that were under way together are one guess. */
  function guess(): void {
    if (left() > 0) return;
    atLeast(Math.min(longestGuess, minute * 2 ** guesses));
    guesses += 1;
  }

  return {
    atLeast,
    check() {
      if (left() <= 0) return;
      const retryAt = new Date(clock() + left());
      throw new GitHubProblem("limited", `GitHub asked to wait until ${retryAt.toISOString()}`, { retryAt });
    },
    after(problem) {
      if (problem.kind !== "limited" || problem.retryAt === null) return problem;
      if (problem.isGuess) guess();
      else atLeast(problem.retryAt.getTime() - clock());
      return problem.at(new Date(clock() + left()));
    },
    // What is used up is not asked for: GitHub bans those who go on. A 304 uses nothing up, and may come without a count.
    afterSuccess(headers) {
      guesses = 0;
      if (String(headers["x-ratelimit-remaining"]) !== "0") return;
      const now = Date.parse(String(headers.date ?? ""));
      const reset = Number(headers["x-ratelimit-reset"]) * 1_000 - (Number.isNaN(now) ? clock() : now);
      if (reset > 0 && reset <= 60 * minute) atLeast(reset);
    },
  };
}
