export type ProblemKind =
  /** GitHub is down, slow or unreachable. */
  | "unavailable"
  /** A rate limit: nothing before `retryAt`. */
  | "limited"
  /** The token is not, or no longer, accepted. */
  | "unauthorized"
  /** The App lacks a permission, or its new ones were not accepted yet. */
  | "forbidden"
  /** The installation is suspended or removed: nothing before it comes back. */
  | "withdrawn"
  /** It does not exist, or the App may not see it. */
  | "missing"
  /** GitHub will never take this request as it is. */
  | "refused";

/** A request that GitHub did not fulfil; `retryable` says whether the very same request may succeed later. */
export class GitHubProblem extends Error {
  override readonly name = "GitHubProblem";
  readonly kind: ProblemKind;
  readonly status: number | null;
  readonly retryAt: Date | null;
  /** Whether `retryAt` is ours: GitHub wants us to wait and does not say how long. */
  readonly isGuess: boolean;

  constructor(kind: ProblemKind, message: string, details: Details = {}) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.status = details.status ?? null;
    this.retryAt = details.retryAt ?? null;
    this.isGuess = details.isGuess ?? false;
  }

  /** The same with another time. */
  at(retryAt: Date): GitHubProblem {
    const { kind, message, isGuess, cause } = this;
    return new GitHubProblem(kind, message, {
      retryAt,
      isGuess,
      cause,
      ...(this.status === null ? {} : { status: this.status }),
    });
  }

  get retryable(): boolean {
    return this.kind === "unavailable" || this.kind === "limited" || this.kind === "unauthorized";
  }
}

interface Details {
  readonly status?: number;
  readonly retryAt?: Date;
  readonly isGuess?: boolean;
  readonly cause?: unknown;
}

/** Tells what went wrong with a request, from Octokit's error. `route` is the route's template: it holds no secret. */
export function problemFrom(error: unknown, route: string, now: Date): GitHubProblem {
  if (error instanceof GitHubProblem) return error;
  const why = Error.isError(error) ? firstLine(error.message) : String(error);
  const answer = answerOf(error);
  if (answer === null) return new GitHubProblem("unavailable", `GitHub did not answer "${route}": ${why}`, { cause: error });
  const { status, headers } = answer;
  const kind = kindOf(status, headers, why);
  const message = `GitHub answered "${route}" with ${status}: ${why}${kind === "forbidden" ? permissionSentence(headers) : ""}`;
  return new GitHubProblem(kind, message, { status, cause: error, ...(kind === "limited" ? retryTime(headers, now) : {}) });
}

type Headers = Readonly<Record<string, string | number | undefined>>;

/** What GitHub answered, from Octokit's RequestError (told by its shape: several copies of its class may be installed). */
function answerOf(error: unknown): { readonly status: number; readonly headers: Headers } | null {
  if (typeof error !== "object" || error === null || !("status" in error) || typeof error.status !== "number") return null;
  if (!("response" in error) || typeof error.response !== "object" || error.response === null) return null;
  const headers = "headers" in error.response ? (error.response.headers as Headers) : {};
  return { status: error.status, headers };
}

// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
function kindOf(status: number, headers: Headers, message: string): ProblemKind {
  if (status === 401) return "unauthorized";
  if (status === 429) return "limited";
  if (status === 403) {
    const isLimit =
      headers["retry-after"] !== undefined || String(headers["x-ratelimit-remaining"]) === "0" || /rate limit/i.test(message);
    if (isLimit) return "limited";
    return /\bsuspended\b/i.test(message) ? "withdrawn" : "forbidden";
  }
  if (status === 404 || status === 410 || status === 451) return "missing";
  return status >= 500 || status === 408 ? "unavailable" : "refused";
}

/** GitHub's limits last an hour at most: what claims to last longer than a day is no time. */
const longestPause = 86_400_000;

function retryTime(headers: Headers, now: Date): Pick<Details, "retryAt" | "isGuess"> {
  const after = headers["retry-after"] === "" ? Number.NaN : Number(headers["retry-after"]) * 1_000;
  if (after >= 0 && after <= longestPause) return { retryAt: new Date(now.getTime() + after) };
  // By GitHub's clock, which may differ from ours.
  const theirs = Date.parse(String(headers.date ?? ""));
  const untilReset = Number(headers["x-ratelimit-reset"]) * 1_000 - (Number.isNaN(theirs) ? now.getTime() : theirs);
  const isUsedUp = String(headers["x-ratelimit-remaining"]) === "0";
  if (isUsedUp && untilReset > 0 && untilReset <= longestPause) return { retryAt: new Date(now.getTime() + untilReset) };
  return { retryAt: new Date(now.getTime() + 60_000), isGuess: true };
}

/** GitHub names what a request would have needed. https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#insufficient-permissions-errors */
function permissionSentence(headers: Headers): string {
  const needed = String(headers["x-accepted-github-permissions"] ?? "").slice(0, 100);
  const what = needed === "" ? "a permission" : `the permission ${needed}`;
  return `. The App lacks ${what}, or the installation has not accepted its new permissions yet`;
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0]?.slice(0, 300) ?? "";
}
