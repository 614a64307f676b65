import { type Asked, asked } from "../../demo/github/http/asked.ts";
import { findOperation, parameterProblems } from "./github-contract/operations.ts";
import { definitionProblems, schemaProblems } from "./github-contract/schemas.ts";

/**
 * What GitHub's own description of its API says against a request; empty when it fits. `path` carries neither host nor `/api/v3`.
 * Properties and parameters that GitHub does not list are refused: it would ignore them in silence.
 */
export function requestProblems({ method, path, body }: { method: string; path: string; body?: unknown }): readonly string[] {
  const found = findOperation(method, path);
  if (!found) return [notUsed];
  return [...parameterProblems(found), ...bodyProblems(found.operation.body, body)];
}

/** The same for an answer. GitHub adds properties at any time, so unknown ones pass. */
export function responseProblems(response: { method: string; path: string; status: number; body: unknown }): readonly string[] {
  const { method, path, status, body } = response;
  const found = findOperation(method, path);
  if (!found) return [notUsed];
  const { operation } = found;
  const absent = body === undefined || body === null || body === "";
  const schema = operation.responses[status];
  if (schema) return typeof body === "string" && answersText.has(operation.path) ? [] : schemaProblems(schema, body, "body");
  if (status >= 500) return [];
  if (status >= 400) return schema === undefined ? schemaProblems(error, body, "body") : [];
  if (schema === undefined) return [`${status} is no answer to it; GitHub gives ${Object.keys(operation.responses).join(", ")}`];
  return absent ? [] : [`${status} has no body`];
}

/** What GitHub's webhook schemas say against a payload; `event` is the `X-GitHub-Event` header. */
export function webhookProblems(event: string, payload: unknown): readonly string[] {
  const action = typeof payload === "object" && payload !== null && "action" in payload ? payload.action : undefined;
  return definitionProblems(`${event}$${action ?? "event"}`, payload);
}

/**
 * Wraps the `fetch` that Octokit is given (`request.fetch`): a request that does not fit is not sent, but throws with all its problems.
 * They are also kept for `takeContractViolations`, because code that survives GitHub's failures survives this error too.
 */
export function checkedFetch(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(typeof input === "object" && "clone" in input ? input.clone() : input, init);
    const { pathname, search } = new URL(request.url);
    const path = `${pathname.replace(/^\/api\/v3(?=\/)/, "")}${search}`;
    if (!outsideTheApi.test(path)) {
      const violation = noteViolation(request.method, path, await request.text());
      if (violation !== null) throw new Error(violation);
    }
    return fetch(input, init);
  };
}

/**
 * Checks what stand-ins of this process are asked, also by servers that run as processes of their own: what does not fit is kept for
 * `takeContractViolations`. Returns the way to leave off.
 */
export function watchStandIns(): () => void {
  const check = (message: unknown) => {
    const { method, path, body } = message as Asked;
    noteViolation(method, path, body);
  };
  asked.subscribe(check);
  return () => asked.unsubscribe(check);
}

function noteViolation(method: string, path: string, text: string): string | null {
  // GitHub redirects from an old name to the repository's id, below which everything is as below its name.
  const named = path.replace(/^\/repositories\/\d+(?=\/|$)/, "/repos/acme/moved");
  const problems = requestProblems({ method, path: named, body: sentBody(text) });
  if (problems.length === 0) return null;
  const violation = `${method} ${path} does not fit GitHub's API: ${problems.join("; ")}`;
  violations.push(violation);
  return violation;
}

/** What did not fit since the last call: for `afterEach`, which fails when there is any. */
export function takeContractViolations(): readonly string[] {
  return violations.splice(0);
}

const violations: string[] = [];
const notUsed = "is none of the operations that we use (test/support/github-contract/used.ts)";

/** Signing in by the web flow is no part of the REST API; on an enterprise server it has the same host. */
const outsideTheApi = /^\/login\/oauth\//;

/** Every refusal says why, also the ones (401, 403, 429 …) that GitHub lists for few operations. https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api */
const error = { type: "object", required: ["message"], properties: { message: { type: "string" } } };

/** With a media type of their own (raw, diff, patch, sha) these answer text, which the description leaves out. https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api#media-types */
const answersText: ReadonlySet<string> = new Set([
  "/repos/{owner}/{repo}/contents/{path}",
  "/repos/{owner}/{repo}/commits/{ref}",
  "/repos/{owner}/{repo}/compare/{basehead}",
  "/repos/{owner}/{repo}/pulls/{pull_number}",
]);

function bodyProblems(
  expected: { readonly required: boolean; readonly schema: object } | null,
  body: unknown,
): readonly string[] {
  if (body === undefined) return expected?.required ? ["body is missing"] : [];
  return expected ? schemaProblems(expected.schema, body, "body") : ["body is not known to GitHub"];
}

function sentBody(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}
