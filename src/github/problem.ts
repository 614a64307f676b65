export type ProblemKind =
  /** GitHub is down, slow or unreachable. */
  | "unavailable"
  /** A rate limit: nothing before `retryAt`. */
  | "limited"
  /** The token is not, or no longer, accepted. */
  | "unauthorized"
  /** The App lacks a permission. */
  | "forbidden"
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

  constructor(kind: ProblemKind, message: string, details: { status?: number; retryAt?: Date; cause?: unknown } = {}) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.status = details.status ?? null;
    this.retryAt = details.retryAt ?? null;
  }

  get retryable(): boolean {
    return this.kind === "unavailable" || this.kind === "limited" || this.kind === "unauthorized";
  }
}

/** Tells what went wrong with a request, from Octokit's error. `route` is the route's template: it holds no secret. */
export function problemFrom(error: unknown, route: string, now: Date): GitHubProblem {
  if (error instanceof GitHubProblem) return error;
  const why = Error.isError(error) ? firstLine(error.message) : String(error);
  const answer = answerOf(error);
  if (answer === null) return new GitHubProblem("unavailable", `GitHub did not answer "${route}": ${why}`, { cause: error });
  const { status, headers } = answer;
  const kind = kindOf(status, headers, why);
  const message = `GitHub answered "${route}" with ${status}: ${why}`;
  const retryAt = kind === "limited" ? retryTime(headers, now) : undefined;
  return new GitHubProblem(kind, message, { status, cause: error, ...(retryAt === undefined ? {} : { retryAt }) });
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
    return isLimit ? "limited" : "forbidden";
  }
  if (status === 404 || status === 410 || status === 451) return "missing";
  return status >= 500 || status === 408 ? "unavailable" : "refused";
}

/** GitHub's limits last an hour at most: what claims to last longer than a day is no time. */
const longestPause = 86_400_000;

function retryTime(headers: Headers, now: Date): Date {
  const minute = new Date(now.getTime() + 60_000);
  const after = headers["retry-after"] === "" ? Number.NaN : Number(headers["retry-after"]) * 1_000;
  if (after >= 0 && after <= longestPause) return new Date(now.getTime() + after);
  const untilReset = Number(headers["x-ratelimit-reset"]) * 1_000 - now.getTime();
  const isUsedUp = String(headers["x-ratelimit-remaining"]) === "0";
  return isUsedUp && untilReset > 0 && untilReset <= longestPause ? new Date(now.getTime() + untilReset) : minute;
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0]?.slice(0, 300) ?? "";
}
