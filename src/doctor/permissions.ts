import { type AppFacts, type InstallationFacts, readInstallations } from "../github/app-facts.ts";
import type { FileInUse } from "./files-in-use.ts";
import { doubtful, type Finding, fine, wrong } from "./finding.ts";
import type { DoctorMeans } from "./means.ts";

/** Something that the App must be allowed, and what for. */
export interface Need {
  readonly permission: string;
  readonly level: "read" | "write";
  readonly because: string;
}

const always: readonly Need[] = [
  { permission: "metadata", level: "read", because: "every App needs it" },
  { permission: "contents", level: "read", because: "files and commits are read" },
  { permission: "pull_requests", level: "write", because: "pull requests are seen and answered" },
  { permission: "issues", level: "write", because: "comments are answered" },
  { permission: "statuses", level: "write", because: "checks are shown" },
  { permission: "deployments", level: "write", because: "deployments are made" },
  { permission: "checks", level: "read", because: "deployments wait for the checks of others" },
];

const events = [
  ...["pull_request", "push", "deployment", "deployment_status"],
  ...["status", "check_run", "check_suite", "issue_comment", "repository"],
];

/** What a repository's file asks for beyond that. */
export function needsOf({ repository, file }: FileInUse): readonly Need[] {
  const of = `${repository.owner}/${repository.name}`;
  const withTeams = Object.entries(file.environments).find(([, plan]) => (plan.approvals?.teams ?? []).length > 0);
  return [
    ...(file.automerge === null ? [] : [{ permission: "contents", level: "write" as const, because: `automerge of ${of}` }]),
    ...(withTeams === undefined
      ? []
      : [{ permission: "members", level: "read" as const, because: `approvals.teams of ${withTeams[0]} in ${of}` }]),
  ];
}

/** What the server's own settings ask for. */
function needsOfServer({ settings }: DoctorMeans): readonly Need[] {
  if (settings.showChecksAs === "statuses") return always;
  return [...always, { permission: "checks", level: "write", because: "SHOW_CHECKS_AS=check-runs" }];
}

/** Whether the App asks for, and was granted, what the files in use need; and whether it hears of what happens. */
export async function examinePermissions(
  means: DoctorMeans,
  app: AppFacts,
  files: readonly FileInUse[],
): Promise<readonly Finding[]> {
  const { github, settings } = means;
  const needs = needsOfServer(means);
  const page = `${settings.github.web}/settings/apps/${app.slug}/permissions (of an organization: its settings, Developer settings, GitHub Apps)`;
  const installations = await readInstallations(github);
  const asked = missingOf(app.permissions, [...needs, ...files.flatMap(needsOf)]).map((need) =>
    wrong("permissions", `the App lacks ${need.permission}: ${need.level} (${need.because})`, `add it at ${page}`),
  );
  const granted = installations.flatMap((one) => examineInstallation(one, app, needs, files));
  const unheard = events.filter((event) => !app.events.includes(event));
  const reviews = files.some(({ file }) => file.automerge !== null) && !app.events.includes("pull_request_review");
  return [
    ...(asked.length + granted.length === 0
      ? [fine("permissions", `all that ${files.length} files in use need, on ${installations.length} accounts`)]
      : [...asked, ...granted]),
    ...(unheard.length === 0
      ? [fine("events", "it hears of all that it should")]
      : [
          wrong(
            "events",
            `it does not hear of ${unheard.join(", ")}`,
            `tick them at ${page.replace("/permissions", "/permissions, below")}`,
          ),
        ]),
    ...(reviews
      ? [
          doubtful(
            "events",
            "it does not hear of reviews, so automerge looks for them now and then",
            `tick pull_request_review at ${page}`,
          ),
        ]
      : []),
  ];
}

function examineInstallation(
  one: InstallationFacts,
  app: AppFacts,
  server: readonly Need[],
  files: readonly FileInUse[],
): readonly Finding[] {
  if (one.suspended)
    return [doubtful("permissions", `${one.account} has suspended it`, `its owner can end that in the settings, GitHub Apps`)];
  const needs = [...server, ...files.filter(({ repository }) => repository.installation === one.id).flatMap(needsOf)];
  return missingOf(one.permissions, needs)
    .filter((need) => missingOf(app.permissions, [need]).length === 0)
    .map((need) =>
      wrong(
        "permissions",
        `${one.account} has not accepted ${need.permission}: ${need.level} yet (${need.because})`,
        `an owner of ${one.account} accepts it in the settings, GitHub Apps, Review request`,
      ),
    );
}

/** Writing includes reading. */
function missingOf(given: Readonly<Record<string, string>>, needs: readonly Need[]): readonly Need[] {
  const missing = needs.filter(({ permission, level }) => given[permission] !== "write" && given[permission] !== level);
  return [...new Map(missing.map((need) => [`${need.permission}: ${need.level}`, need])).values()];
}
