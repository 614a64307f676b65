import { posix } from "node:path";
import type { Path, Problem } from "./mistake.ts";
import { quote } from "./mistake.ts";
import { list } from "./nearest.ts";
import type { Options } from "./repository-file.ts";
import type { Known } from "./schema.ts";
import { exampleFacts, renderOptions, templateProblems } from "./template.ts";

/** What is wrong with an environment for previews, and with keys for previews in one that is not. */
export function previewProblems(path: Path, environment: Options, known: Known): readonly Problem[] {
  const at = (key: string, problem: string) => ({ path: [...path, key], problem });
  if (environment.trigger !== "pull_request")
    return onlyForPreviews.flatMap((key) =>
      environment[key] === undefined ? [] : [at(key, "is only for previews (trigger: pull_request); remove it")],
    );
  const { target } = environment;
  const cannot = typeof target === "string" && known.targets.has(target) && !known.previews.has(target);
  return [
    ...notForPreviews.flatMap((key) =>
      environment[key] === undefined ? [] : [at(key, "is not for previews (trigger: pull_request); remove it")],
    ),
    ...(environment.rollback === "automatic" ? [at("rollback", "is not for previews: push a commit that works")] : []),
    ...(cannot
      ? [at("target", `${quote(target)} cannot take a preview down; use ${list([...known.previews.keys()], "or")}`)]
      : []),
    ...sharedPathProblems([...path, "with", "path"], environment.with),
  ];
}

const onlyForPreviews = ["ttl", "quota"];
const notForPreviews = ["after", "paths"];

/** Two previews in one folder would take each other down. */
function sharedPathProblems(path: Path, options: unknown): readonly Problem[] {
  const text = typeof options === "object" && options !== null && "path" in options ? options.path : undefined;
  if (typeof text !== "string" || templateProblems(text, { pullRequest: true }).length > 0) return [];
  const [one, other] = [1, 2].map((pullRequest) => {
    const environment = previewName(exampleFacts.environment, pullRequest);
    const facts = { ...exampleFacts, pullRequest, environment };
    return posix.resolve("/", String(renderOptions({ path: text }, facts).path));
  });
  if (one !== other) return [];
  const problem = `${quote(text)} is the same for all pull requests; put {{ pull_request.number }} or {{ environment }} into it`;
  return [{ path, problem }];
}

/** How the preview of a pull request is called. */
export function previewName(environment: string, pullRequest: number): string {
  return `${environment}-pr-${pullRequest}`;
}

/** An environment that is called like a preview of another one, or comes after previews. */
export function previewNameProblems(
  environments: ReadonlyMap<string, { readonly trigger: string | undefined; readonly after: string | undefined }>,
): readonly Problem[] {
  const previews = [...environments].flatMap(([name, { trigger }]) => (trigger === "pull_request" ? [name] : []));
  return [...environments].flatMap(([name, { after }]) => {
    const base = previews.find((preview) => {
      const start = `${preview}-pr-`.toLowerCase();
      return name.toLowerCase().startsWith(start) && /^\d+$/.test(name.slice(start.length));
    });
    return [
      ...(base === undefined
        ? []
        : [{ path: ["environments", name], problem: `is what a preview of ${base} is called; rename it` }]),
      ...(after !== undefined && previews.includes(after)
        ? [{ path: ["environments", name, "after"], problem: `${quote(after)} is for previews; nothing comes after them` }]
        : []),
    ];
  });
}
