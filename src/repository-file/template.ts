import { quote } from "./mistake.ts";
import { list, nearest } from "./nearest.ts";
import type { Options } from "./repository-file.ts";

/** What `{{ … }}` can say about a deployment. `pullRequest` is `null` where there is none. */
export interface TemplateFacts {
  readonly pullRequest: number | null;
  readonly sha: string;
  readonly ref: string;
  readonly environment: string;
  readonly repository: { readonly owner: string; readonly name: string };
}

/** Replaces each `{{ name }}`. The result is for programs and services, never for a shell. Throws where `templateProblems` names a problem. */
export function renderTemplate(text: string, facts: TemplateFacts): string {
  return render(text, facts, (value) => value);
}

/** The same for an address: values are percent-encoded, so that a branch's name cannot change the host. */
export function renderUrl(text: string, facts: TemplateFacts): string {
  return render(text, facts, encodeURIComponent);
}

/** Fills in every text of a `with:`, but those under a key `run`: a shell reads them, and a branch may be named `$(rm -rf ~)`. */
export function renderOptions(options: Options, facts: TemplateFacts): Options {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, isCommand(key) ? value : renderValue(value, facts)]),
  );
}

/** What is wrong with the `{{ … }}` of a text; a number of a pull request is one of the things that can be wrong. */
export function templateProblems(text: string, { pullRequest }: { readonly pullRequest: boolean }): readonly string[] {
  return parts(text).flatMap((part) => {
    if (part.kind === "text") return [];
    if (part.kind === "open") return ["has {{ without }}"];
    if (part.name === "pull_request.number" && !pullRequest)
      return ["{{ pull_request.number }} is known only with trigger: pull_request"];
    return templateNames.includes(part.name) ? [] : [unknownName(part.name)];
  });
}

/** The texts of a `with:` that `renderOptions` fills in, each with its path. */
export function templatesIn(options: Options): readonly { readonly path: readonly (string | number)[]; readonly text: string }[] {
  return textsIn(options, []);
}

/** Facts that look like real ones, to try a template out before there is a deployment. */
export const exampleFacts: TemplateFacts = {
  pullRequest: 1,
  sha: "4be07d1c2f6f0a3b5d7e9f1a2b3c4d5e6f708192",
  ref: "main",
  environment: "staging",
  repository: { owner: "acme", name: "shop" },
};

const values: Readonly<Record<string, (facts: TemplateFacts) => string>> = {
  "pull_request.number": ({ pullRequest }) => {
    if (pullRequest === null) throw new Error("{{ pull_request.number }}: this deployment has no pull request");
    return String(pullRequest);
  },
  sha: ({ sha }) => sha,
  short_sha: ({ sha }) => sha.slice(0, 7),
  ref: ({ ref }) => ref,
  environment: ({ environment }) => environment,
  "repository.name": ({ repository }) => repository.name,
  "repository.owner": ({ repository }) => repository.owner,
};
/** Everything that `{{ … }}` knows. */
export const templateNames: readonly string[] = Object.keys(values);

type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "value"; readonly name: string }
  | { readonly kind: "open" };

function parts(text: string): readonly Part[] {
  const found: Part[] = [];
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf("{{", at);
    found.push({ kind: "text", text: text.slice(at, open < 0 ? undefined : open) });
    if (open < 0) break;
    const close = text.indexOf("}}", open);
    if (close < 0) return [...found, { kind: "open" }];
    found.push({ kind: "value", name: text.slice(open + 2, close).trim() });
    at = close + 2;
  }
  return found;
}

function render(text: string, facts: TemplateFacts, encode: (value: string) => string): string {
  return parts(text)
    .map((part) => {
      if (part.kind === "text") return part.text;
      const value = part.kind === "value" && Object.hasOwn(values, part.name) ? values[part.name] : undefined;
      if (!value) throw new Error(`${quote(text)}: ${part.kind === "value" ? unknownName(part.name) : "has {{ without }}"}`);
      return encode(value(facts));
    })
    .join("");
}

function unknownName(name: string): string {
  const near = nearest(name, templateNames);
  return `{{ ${quote(name).slice(1, -1)} }} is not known; ${near ? `did you mean {{ ${near} }}?` : `known are ${list(templateNames, "and")}`}`;
}

function renderValue(value: unknown, facts: TemplateFacts): unknown {
  if (typeof value === "string") return renderTemplate(value, facts);
  if (Array.isArray(value)) return value.map((entry) => renderValue(entry, facts));
  return isOptions(value) ? renderOptions(value, facts) : value;
}

function textsIn(value: unknown, path: readonly (string | number)[]): ReturnType<typeof templatesIn> {
  if (typeof value === "string") return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((entry, at) => textsIn(entry, [...path, at]));
  if (!isOptions(value)) return [];
  return Object.entries(value).flatMap(([key, entry]) => (isCommand(key) ? [] : textsIn(entry, [...path, key])));
}

function isCommand(key: string): boolean {
  return key === "run";
}

function isOptions(value: unknown): value is Options {
  return typeof value === "object" && value !== null;
}
