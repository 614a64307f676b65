/** A receipt is given up after so many attempts, whatever happened: about an hour. */
export const mostAttempts = 13;

const mostAttemptsOfBugs = 3;

/** Milliseconds to wait before that attempt (the first is 1), twice as long each time; `null` when there is none. */
export function waitBefore(attempt: number, retryable: boolean): number | null {
  if (attempt > (retryable ? mostAttempts : mostAttemptsOfBugs)) return null;
  return 1_000 * 2 ** (attempt - 2);
}

/** Whether a later attempt may succeed: says an error with a true `retryable`, be it a cause or a part (Probot's AggregateError) of this one. */
export function isRetryable(error: unknown): boolean {
  return partsOf(error).some((part) => "retryable" in part && part.retryable === true);
}

/** What to keep of an error for people. */
export function explain(error: unknown): string {
  const [first] = partsOf(error);
  const inner = first !== undefined && "errors" in first && Array.isArray(first.errors) ? first.errors : [error];
  return inner
    .map((part) => (Error.isError(part) ? `${part.name}: ${part.message}` : String(part)))
    .join("; ")
    .slice(0, 2_000);
}

/** The error, what it is made of and what caused it, each once. */
function partsOf(error: unknown): readonly object[] {
  const parts = new Set<object>();
  const open: unknown[] = [error];
  for (const part of open) {
    if (typeof part !== "object" || part === null || parts.has(part)) continue;
    parts.add(part);
    if ("cause" in part) open.push(part.cause);
    if ("errors" in part && Array.isArray(part.errors)) open.push(...part.errors);
  }
  return [...parts];
}
