import { afterProblems, requiredCheckProblems } from "./gate-rules.ts";
import type { Path, Problem } from "./mistake.ts";
import { sameButForCase } from "./names.ts";
import { chatProblems } from "./notify-keys.ts";
import { previewNameProblems, previewProblems } from "./preview-rules.ts";
import { problemsWith } from "./problems.ts";
import type { Options } from "./repository-file.ts";
import { commandRunner, type Known } from "./schema.ts";
import { exampleFacts, renderOptions, renderUrl, templateProblems, templatesIn } from "./template.ts";

/** What one part of the file says about another. Looks at the file as it was written, so that a wrong type elsewhere hides nothing; wrong types themselves are the schema's. */
export function brokenRules(file: unknown, known: Known): readonly Problem[] {
  const checks = mappingIn(file, "checks");
  const environments = mappingIn(file, "environments");
  return [
    ...sameButForCase("checks", Object.keys(checks)),
    ...sameButForCase("environments", Object.keys(environments)),
    ...Object.entries(checks).flatMap(([name, check]) => (isMapping(check) ? checkProblems(["checks", name], check, known) : [])),
    ...Object.entries(environments).flatMap(([name, environment]) =>
      isMapping(environment)
        ? [
            ...environmentProblems(["environments", name], environment, known),
            ...requiredCheckProblems(["environments", name, "require_checks"], environment.require_checks, Object.keys(checks)),
          ]
        : [],
    ),
    ...entriesIn(file, "notify").flatMap((entry, at) =>
      isMapping(entry) ? chatProblems(["notify", at], entry, known.notifiers) : [],
    ),
    ...afterProblems(new Map(Object.entries(environments).map(([name, environment]) => [name, textIn(environment, "after")]))),
    ...previewNameProblems(
      new Map(
        Object.entries(environments).map(([name, environment]) => [
          name,
          { trigger: textIn(environment, "trigger"), after: textIn(environment, "after") },
        ]),
      ),
    ),
  ];
}

/** Comes before everything else, which would take long then: more than 50 would also flood GitHub with statuses. */
export function tooManyEntries(file: unknown): readonly Problem[] {
  return ["checks", "environments"].flatMap((group) => {
    const many = Object.keys(mappingIn(file, group)).length;
    return many > mostEntries ? [{ path: [group], problem: `has ${many} entries; at most ${mostEntries}` }] : [];
  });
}

const mostEntries = 50;

function checkProblems(path: Path, check: Options, known: Known): readonly Problem[] {
  const runner = check.runner === undefined ? commandRunner : textIn(check, "runner");
  const at = (key: string, problem: string) => ({ path: [...path, key], problem });
  if (runner === commandRunner)
    return [
      ...(check.run === undefined ? [at("run", "is missing; it must be text or a list")] : []),
      ...(check.with === undefined ? [] : [at("with", `is not for the runner ${commandRunner}; remove it`)]),
    ];
  const schema = known.runners.get(runner ?? "");
  if (!schema) return [];
  return [
    ...["run", "env", "cache", "image"].flatMap((key) =>
      check[key] === undefined ? [] : [at(key, `is only for the runner ${commandRunner}; remove it`)],
    ),
    ...problemsWith(schema, check.with ?? {}, [...path, "with"]),
  ];
}

function environmentProblems(path: Path, environment: Options, known: Known): readonly Problem[] {
  const where = { pullRequest: environment.trigger === "pull_request" };
  const options = environment.with === undefined ? {} : environment.with;
  const templates = isMapping(options) ? templatesIn(options) : [];
  const inOptions = templates.flatMap((template) =>
    templateProblems(template.text, where).map((problem) => ({ path: [...path, "with", ...template.path], problem })),
  );
  const target = textIn(environment, "target") ?? "";
  const schema = (where.pullRequest ? known.previews.get(target) : undefined) ?? known.targets.get(target);
  const broken = inOptions.length > 0 || !schema || !isMapping(options);
  return [
    ...inOptions,
    ...(broken ? [] : problemsWith(schema, renderOptions(options, exampleFacts), [...path, "with"])),
    ...urlProblems(environment.url, where).map((problem) => ({ path: [...path, "url"], problem })),
    ...healthProblems([...path, "health"], environment.health, where),
    ...previewProblems(path, environment, known),
  ];
}

function healthProblems(path: Path, health: unknown, where: { readonly pullRequest: boolean }): readonly Problem[] {
  if (!isMapping(health)) return [];
  const expected = textIn(health, "expect") ?? "";
  return [
    ...urlProblems(health.url, where).map((problem) => ({ path: [...path, "url"], problem })),
    ...templateProblems(expected, where).map((problem) => ({ path: [...path, "expect"], problem })),
  ];
}

function urlProblems(url: unknown, where: { readonly pullRequest: boolean }): readonly string[] {
  if (typeof url !== "string" || url.trim() === "") return [];
  const problems = templateProblems(url, where);
  if (problems.length > 0) return problems;
  const address = URL.parse(renderUrl(url, exampleFacts));
  if (address?.protocol !== "https:" && address?.protocol !== "http:")
    return ["must be an address that starts with https:// or http://"];
  return address.username || address.password ? ["must not contain a user or password: everybody can read it"] : [];
}

function mappingIn(value: unknown, key: string): Options {
  const found = isMapping(value) ? value[key] : undefined;
  return isMapping(found) ? found : {};
}

function entriesIn(value: unknown, key: string): readonly unknown[] {
  const found = isMapping(value) ? value[key] : undefined;
  return Array.isArray(found) ? found : [];
}

function textIn(value: unknown, key: string): string | undefined {
  const found = isMapping(value) ? value[key] : undefined;
  return typeof found === "string" ? found : undefined;
}

function isMapping(value: unknown): value is Options {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
