import { describe, expect, it } from "@jest/globals";
import { GitHubProblem, type ProblemKind, problemFrom } from "../../src/github/problem.ts";

const now = new Date("2026-11-22T12:00:00Z");
const at = (seconds: number) => new Date(now.getTime() + seconds * 1_000);
const epoch = (seconds: number) => String(at(seconds).getTime() / 1_000);
const route = "POST /repos/{owner}/{repo}/statuses/{sha}";

/** What Octokit throws when GitHub has answered. */
function answer(status: number, message: string, headers: Record<string, string> = {}): Error {
  return Object.assign(new Error(message), { name: "HttpError", status, response: { status, headers, data: { message } } });
}

describe("what went wrong with a request", () => {
  it.each<[number, ProblemKind, boolean]>([
    [400, "refused", false],
    [401, "unauthorized", true],
    [403, "forbidden", false],
    [404, "missing", false],
    [405, "refused", false],
    [408, "unavailable", true],
    [409, "refused", false],
    [410, "missing", false],
    [413, "refused", false],
    [422, "refused", false],
    [429, "limited", true],
    [451, "missing", false],
    [500, "unavailable", true],
    [502, "unavailable", true],
    [503, "unavailable", true],
    [504, "unavailable", true],
  ])("is told by the status: %d is %s", (status, kind, retryable) => {
    const problem = problemFrom(answer(status, "Why it is so"), route, now);
    expect(problem).toMatchObject({ kind, status, retryable });
    const hint =
      kind === "forbidden" ? ". The App lacks a permission, or the installation has not accepted its new permissions yet" : "";
    expect(problem.message).toBe(`GitHub answered "${route}" with ${status}: Why it is so${hint}`);
    if (kind !== "limited") expect(problem.retryAt).toBeNull();
  });

  const secondary = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
  const primary = "API rate limit exceeded for installation ID 2.";
  const left = (remaining: string, reset: string) => ({ "x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset });
  it.each<[string, string, Record<string, string>, Date | null]>([
    ["a permission that is missing", "Resource not accessible by integration", {}, null],
    [
      "a permission that is missing, with requests left",
      "Resource not accessible by integration",
      left("4999", epoch(600)),
      null,
    ],
    ["the primary limit", primary, left("0", epoch(600)), at(600)],
    ["the primary limit, told by the message only", primary, {}, at(60)],
    ["a reset that is over", primary, left("0", epoch(-5)), at(60)],
    ["a reset that is no number", primary, left("0", "soon"), at(60)],
    ["a secondary limit with its time", secondary, { "retry-after": "30" }, at(30)],
    ["a secondary limit without", secondary, left("4998", epoch(600)), at(60)],
    ["a limit with both: its own time counts", secondary, { "retry-after": "90", ...left("0", epoch(600)) }, at(90)],
    ["a time without a word", "Forbidden", { "retry-after": "5" }, at(5)],
    ["a time of nothing", secondary, { "retry-after": "0" }, at(0)],
    ["a time that is empty", secondary, { "retry-after": "" }, at(60)],
    ["a time that is a date", secondary, { "retry-after": "Sun, 22 Nov 2026 12:10:00 GMT" }, at(60)],
    ["a time before now", secondary, { "retry-after": "-5" }, at(60)],
    ["a time that no date can hold", secondary, { "retry-after": "99999999999999999" }, at(60)],
  ])("is a limit or not, of 403 and 429: %s", (_what, message, headers, retryAt) => {
    expect(problemFrom(answer(403, message, headers), route, now)).toMatchObject(
      retryAt === null ? { kind: "forbidden", retryAt: null } : { kind: "limited", retryAt },
    );
    const expected = retryAt ?? at(60);
    expect(problemFrom(answer(429, message, headers), route, now)).toMatchObject({ kind: "limited", retryAt: expected });
  });

  it.each([
    ["the network fails", Object.assign(new Error("getaddrinfo ENOTFOUND api.github.com"), { status: 500, request: {} })],
    ["nothing comes in time", new DOMException("The operation was aborted due to timeout", "TimeoutError")],
    ["a bug of ours throws", new TypeError("x is not a function")],
    ["something is thrown that is no error", "boom"],
  ])("is that GitHub did not answer when %s", (_what, error) => {
    const problem = problemFrom(error, route, now);
    expect(problem).toMatchObject({ kind: "unavailable", status: null, retryAt: null, retryable: true });
    expect(problem.message).toContain(`GitHub did not answer "${route}": `);
    expect(problem.cause).toBe(error);
  });

  it("is said once, however often it is passed on", () => {
    const problem = new GitHubProblem("missing", "gone");
    expect(problemFrom(problem, route, now)).toBe(problem);
  });

  it("is one line of at most a few hundred characters, whatever GitHub says", () => {
    const { message } = problemFrom(answer(502, `${"<html>".repeat(200)}\nsecond line`), route, now);
    expect(message.length).toBeLessThan(400);
    expect(message).not.toContain("second line");
  });
});
