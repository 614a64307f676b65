import { z } from "zod";
import { cachePath } from "./cache-path.ts";
import { duration, sayDuration } from "./duration.ts";
import { approvals, freezes } from "./gate-keys.ts";
import { health } from "./health.ts";
import { imageName } from "./image-name.ts";
import { notAvailable, promised } from "./later.ts";
import { quote } from "./mistake.ts";
import { checkName, name } from "./names.ts";
import { list } from "./nearest.ts";
import { notify } from "./notify-keys.ts";
import { patternProblem } from "./paths.ts";
import { noSuchName, wrongKind } from "./problems.ts";
import type { Automerge, CheckPlan, EnvironmentPlan, RepositoryFile, RequireChecks } from "./repository-file.ts";
import { text } from "./text.ts";

/** What the rest of the server can do. Each schema is that of a `with:`, synchronous, with a description for each key. */
export interface Known {
  readonly runners: ReadonlyMap<string, z.ZodType>;
  readonly targets: ReadonlyMap<string, z.ZodType>;
  /** The same for previews: of the targets that can take one down again. */
  readonly previews: ReadonlyMap<string, z.ZodType>;
  /** The chats that can be told something, each with the description of its key. */
  readonly notifiers: ReadonlyMap<string, string>;
  /** Milliseconds: the server's `MAX_TIMEOUT`. */
  readonly maxTimeout: number;
}

/** The runner of a check that names none: it executes the check's own `run`, and has no \`with:\`. */
export const commandRunner = "local";

/** The whole of `.github/signalbox.yml`: types, messages, JSON Schema and reference page come from here. What one key says about another is in `rules.ts`. */
export function repositoryFileSchema(known: Known) {
  return z
    .strictObject({
      checks: z
        .record(checkName, check(known))
        .optional()
        .describe("What is tested, by name. The name is the status: `signalbox/NAME`."),
      environments: z.record(name, environment(known)).optional().describe("Where commits are deployed to, by name."),
      automerge: automerge
        .optional()
        .describe(
          "Merges pull requests when they are green: the checks of the base branch's and of the head's file, and what rulesets and branch protection require. Never without a check. The default branch's file counts. The App needs `contents: write`, and `workflows: write` for pull requests that change workflow files.",
        ),
      notify: notify(known.notifiers).optional().describe("Which chats are told what happens; the default branch's file counts."),
    })
    .transform(
      (file): RepositoryFile => ({
        checks: withoutPrototype(file.checks),
        environments: withoutPrototype(file.environments),
        automerge: file.automerge ?? null,
        notify: file.notify ?? [],
      }),
    );
}

function check(known: Known) {
  return z
    .strictObject({
      run: z
        .union([command, z.array(step).min(1).max(50)])
        .optional()
        .describe(
          "The commands: one text for `/bin/sh -e`, or a list of steps that are shown one by one. `{{ … }}` is not filled in here.",
        ),
      runner: oneOf("a runner", [...known.runners.keys()], promised.runners)
        .prefault(commandRunner)
        .describe("What runs it."),
      with: options.optional().describe("What a runner other than `local` needs to know; it has no `run` and no `env`."),
      timeout: timeout(known),
      paths: paths
        .optional()
        .describe(
          "The check runs only when a changed file matches, and succeeds at once when none does. `*` is anything within a folder, `**` anything, `?` one character; a leading `!` excludes, and the last pattern that matches a file decides.",
        ),
      env: z.record(variableName, variable).optional().describe("Environment variables of the commands. No place for secrets."),
      cache: z
        .array(cachePath)
        .min(1)
        .max(10)
        .optional()
        .describe(
          "Folders that a passed run leaves to the next one of this check: below `~`, the HOME of the commands, or in the repository. Never for pull requests from forks; one larger than 2 GB is not kept.",
        ),
      image: imageName
        .optional()
        .describe(
          "An image of containers whose files the commands see in place of the machine's: `node:24`, `ghcr.io/acme/ci@sha256:…`. It is brought here where podman or docker is present, stays read-only, and needs a `/bin/sh`; its entry point is not run. What the machine has under that name is used without asking the registry again.",
        ),
    })
    .transform(
      (given): CheckPlan => ({
        runner: given.runner,
        with: given.with ?? {},
        steps: typeof given.run === "string" ? [{ name: null, run: given.run }] : (given.run ?? []),
        timeout: given.timeout,
        paths: given.paths ?? null,
        env: given.env ?? {},
        cache: given.cache ?? [],
        image: given.image ?? null,
      }),
    );
}

function environment(known: Known) {
  return z
    .strictObject({
      trigger: oneOf("a trigger", ["merge", "push", "pull_request", "manual"] as const, promised.triggers)
        .prefault("manual")
        .describe(
          "What deploys: the `merge` of a pull request, every `push` to the branch, or only people (`manual`). `pull_request` is for previews: an environment `NAME-pr-12` for each open pull request of this repository that is no draft, never of forks; updated with each push, taken down when it is closed.",
        ),
      branch: text(250)
        .optional()
        .describe(
          "The branch whose commits may be deployed; without this key the repository's default branch. For previews: only of pull requests into this branch; without this key into any.",
        ),
      after: text(50).optional().describe("Another environment: what succeeds there is deployed here, the same commit."),
      target: oneOf("a target", [...known.targets.keys()], promised.targets).describe("How it is deployed."),
      with: options.optional().describe("What the target needs to know. `{{ … }}` is filled in, except in `run`."),
      build: command
        .optional()
        .describe(
          "Commands that run before the target, in the sandbox and without secrets. What they make is kept and used wherever the same commit is deployed with the same commands, so they are not told for which environment they build. `{{ … }}` is not filled in here.",
        ),
      timeout: timeout(known),
      url: text(1000).optional().describe("Where people find it, shown on GitHub. `{{ … }}` is filled in."),
      require_checks: requireChecks
        .optional()
        .describe(
          "Which checks must be green first: `all` of the file (also without this key), `none`, or a list of names, also of statuses and check runs of others such as `codecov/patch`.",
        ),
      approvals: approvals
        .optional()
        .describe("Who must say yes to each commit first. The author, who pushed or merged and who asked do not count."),
      freeze: freezes.min(1).max(20).optional().describe("When nothing is deployed."),
      health: health(known).optional().describe("What is asked once the new release is live, every second until it is healthy."),
      rollback: z
        .enum(["automatic", "manual"])
        .default("manual")
        .describe(
          "`automatic`: a deployment that fails after the switch, or whose health check does, is followed by one that puts the last release back and locks the environment.",
        ),
      paths: paths
        .optional()
        .describe("Deploy only what differs from what is live in a file that matches, by the rules of a check's `paths`."),
      ttl: duration({ milliseconds: longestPreview, because: "what must live longer is no preview" })
        .optional()
        .describe(
          "How long a preview stays without a push: a number and s, m, h or d. Without this key as long as its pull request is open.",
        ),
      quota: z
        .int()
        .min(1)
        .max(100)
        .default(20)
        .describe(
          "How many previews there are at once: when there would be more, the one without a push for the longest time goes.",
        ),
    })
    .transform(
      (given): EnvironmentPlan => ({
        trigger: given.trigger,
        branch: given.branch ?? null,
        after: given.after ?? null,
        target: given.target,
        with: given.with ?? {},
        build: given.build ?? null,
        timeout: given.timeout,
        url: given.url ?? null,
        requireChecks: given.require_checks ?? { kind: "all" },
        approvals: given.approvals ?? null,
        freeze: given.freeze ?? [],
        health: given.health ?? null,
        rollback: given.rollback,
        paths: given.paths ?? null,
        ttl: given.ttl ?? null,
        quota: given.quota,
      }),
    );
}

/** In milliseconds. */
const longestPreview = 90 * 24 * 3_600_000;
const automerge = z
  .strictObject({
    method: z.enum(["merge", "squash", "rebase"]).default("merge").describe("How."),
    label: text(50).optional().describe("Only pull requests with this label; without this key all that are no drafts."),
  })
  .transform((given): Automerge => ({ method: given.method, label: given.label ?? null }));

const options = z.record(z.string(), z.unknown());
const command = z.string().regex(/\S/, { error: "is empty; write a command" });
const step = z.strictObject({
  name: text(100).describe("What the log calls it."),
  run: command.describe("The commands, for `/bin/sh -e`."),
});
const requireChecks = z
  .union([z.enum(["all", "none"]), z.array(z.string()).min(1).max(50)])
  .transform((given): RequireChecks => (typeof given === "string" ? { kind: given } : { kind: "these", names: given }));

const pattern = z
  .string()
  .max(200)
  .superRefine((given, context) => {
    const problem = patternProblem(given);
    if (problem) context.addIssue({ code: "custom", message: `${quote(given)} ${problem}` });
  });

const paths = z
  .array(pattern)
  .min(1)
  .max(50)
  .refine((patterns) => patterns.length === 0 || patterns.some((text) => !text.startsWith("!")), {
    error: "has only patterns that exclude; add one that does not",
  });

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, {
  error: "is not a name of an environment variable; use letters, digits and underscores",
});
const variable = z.union([z.string(), z.number(), z.boolean()]).transform(String);

function timeout({ maxTimeout }: Known) {
  const usual = Math.min(30 * 60_000, maxTimeout);
  return duration({ milliseconds: maxTimeout, because: "the server's MAX_TIMEOUT" })
    .prefault(sayDuration(usual))
    .describe(`How long it may take: a number and s, m, h or d. At most the server's \`MAX_TIMEOUT\`.`);
}

function oneOf<Name extends string>(what: string, names: readonly Name[], promised: readonly string[]) {
  return z.enum(names, {
    error: ({ input }) => {
      if (typeof input !== "string") return wrongKind(list(names, "or"), input);
      return promised.includes(input)
        ? `${quote(input)} is ${notAvailable}; use ${list(names, "or")}`
        : noSuchName(input, what, names);
    },
  });
}

function withoutPrototype<Value>(record: Readonly<Record<string, Value>> = {}): Readonly<Record<string, Value>> {
  return Object.assign(Object.create(null), record);
}
