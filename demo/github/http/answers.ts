/** What a handler answers. An object becomes JSON, text HTML, bytes themselves. */
export interface Answer {
  readonly status: number;
  readonly body?: object | string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export const DOCUMENTATION = "https://docs.github.com/rest";

/** Thrown by a handler to end in GitHub's own error shape: https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api */
export class Refusal extends Error {
  readonly answer: Answer;
  constructor(status: number, message: string, more: object = {}, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.answer = { status, headers, body: { message, ...more, documentation_url: DOCUMENTATION, status: String(status) } };
  }
}

export function notFound(): Refusal {
  return new Refusal(404, "Not Found");
}

export function unauthorized(message = "Bad credentials"): Refusal {
  return new Refusal(401, message);
}

export function forbidden(message = "Resource not accessible by integration"): Refusal {
  return new Refusal(403, message);
}

export function suspended(): Refusal {
  return new Refusal(403, "This installation has been suspended");
}

export interface FieldProblem {
  readonly resource: string;
  readonly field: string;
  readonly code: "missing" | "missing_field" | "invalid" | "already_exists" | "custom";
  readonly message?: string;
}

/** 422 with the fields that are wrong. */
export function invalid(...errors: readonly FieldProblem[]): Refusal {
  return new Refusal(422, "Validation Failed", { errors });
}

export function ok(body: object): Answer {
  return { status: 200, body };
}

export function created(body: object): Answer {
  return { status: 201, body };
}

/** One page of a list, with the `Link` header that leads to the others: https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api */
export function page(url: URL, items: readonly object[], wrap: (items: readonly object[]) => object = (list) => list): Answer {
  const size = clamp(Number(url.searchParams.get("per_page") ?? 30), 1, 100);
  const number = clamp(Number(url.searchParams.get("page") ?? 1), 1, Number.MAX_SAFE_INTEGER);
  const last = Math.max(1, Math.ceil(items.length / size));
  const links: readonly (readonly [rel: string, page: number, there: boolean])[] = [
    ["prev", number - 1, number > 1],
    ["next", number + 1, number < last],
    ["last", last, number < last],
    ["first", 1, number > 1],
  ];
  const link = links
    .filter(([, , there]) => there)
    .map(([rel, target]) => `<${withParameter(url, "page", target)}>; rel="${rel}"`);
  return {
    status: 200,
    body: wrap(items.slice((number - 1) * size, number * size)),
    headers: link.length > 0 ? { Link: link.join(", ") } : {},
  };
}

export function withParameter(url: URL, name: string, value: string | number): string {
  const copy = new URL(url);
  copy.searchParams.set(name, String(value));
  return copy.href;
}

/** `value` as a whole number within bounds; what is no number becomes the least. */
export function clamp(value: number, least: number, most: number): number {
  return Number.isFinite(value) ? Math.min(most, Math.max(least, Math.floor(value))) : least;
}
