import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { webhookProblems } from "./support/github-contract.ts";

const folder = new URL("../fixtures/", import.meta.url);
const files = readdirSync(folder).filter((file) => /^[a-z_]+\..*json$/.test(file));

const handled = [
  "check_run.completed",
  "check_run.rerequested",
  "check_suite.completed",
  "check_suite.rerequested",
  "deployment.created",
  "deployment.created.foreign",
  "deployment.created.ours",
  "deployment.created.payload-text",
  "deployment_status.created",
  "deployment_status.created.foreign",
  "installation.created",
  "installation.deleted",
  "installation.new_permissions_accepted",
  "installation.suspend",
  "installation.unsuspend",
  "installation_repositories.added",
  "installation_repositories.removed",
  "issue_comment.created",
  "member.added",
  "member.removed",
  "membership.removed",
  "merge_group.checks_requested",
  "merge_group.destroyed",
  "organization.member_removed",
  "ping",
  "pull_request.closed",
  "pull_request.closed.merged",
  "pull_request.closed.merged.fork",
  "pull_request.converted_to_draft",
  "pull_request.edited.base",
  "pull_request.edited.title",
  "pull_request.opened",
  "pull_request.opened.draft",
  "pull_request.opened.fork",
  "pull_request.ready_for_review",
  "pull_request.reopened",
  "pull_request.synchronize",
  "push",
  "push.deleted",
  "push.tag",
  "repository.deleted",
  "repository.privatized",
  "repository.publicized",
  "repository.renamed",
  "repository.transferred",
  "star.created",
  "status",
  "team.removed_from_repository",
];

/** Everybody and everything that may have an id, by the name it goes by. */
const ids: { readonly [name: string]: number } = {
  acme: 38302899,
  github: 9919,
  mira: 21031067,
  jonas: 15669918,
  lena: 6752317,
  octocat: 583231,
  "signalbox[bot]": 52472962,
  "github-actions[bot]": 41898282,
  "codecov[bot]": 22429695,
  "acme/shop": 186853002,
  "octocat/shop": 186853261,
};

/** Every commit, and the one tree that is named. */
const shas = {
  base: "9f3c1d24990f7bfb788ca58ad3083bba026d8876",
  head: "4be07d1f05f5ce03dbbb7bcf72e68ab3a567f7ca",
  synchronizedHead: "d2a6c83317e95e1a0f8d4d303ce9fbfbf4790674",
  testMerge: "b90f4a7f04651bf25a0dbad997070cc30bf5d492",
  merge: "51d09ee6accdd0188f0254899365b4707af89ebc",
  treeOfHeadAndMerge: "c7d20f4b41e998c3c41d539a0412e554e3698545",
  releaseBranch: "66b3f188fde433a32fdfa3869a103be94869f10d",
  mergeQueue: "f41c97b7218f2072ea8852210670a998eb95c0ab",
  forkHead: "e2b6149cdfd754c582fcd7b644e5e63812c15ea3",
  forkMerge: "38fa0c593cf279bd9b90376fcce0beebfaecb615",
  none: "0000000000000000000000000000000000000000",
};

const pullRequests: { readonly [number: string]: object } = {
  12: {
    title: "Round half up in the cart total",
    user: { login: "mira" },
    head: { ref: "round-half-up", sha: shas.head, repo: { full_name: "acme/shop" } },
    base: { ref: "main", sha: shas.base, repo: { full_name: "acme/shop" } },
  },
  13: {
    user: { login: "octocat" },
    head: { ref: "visitor-currency", sha: shas.forkHead, repo: { full_name: "octocat/shop" } },
    base: { ref: "main", sha: shas.base, repo: { full_name: "acme/shop" } },
  },
};

describe("the fixtures", () => {
  it("cover every event and action that is handled, and one that is ignored", () => {
    expect(files.map((file) => file.replace(/\.json$/, ""))).toEqual(expect.arrayContaining(handled));
  });

  it("can all be replayed here, in one story, and lead to no error", () => {
    const cli = fileURLToPath(new URL("../src/doors/cli.ts", import.meta.url));
    const paths = files.map((file) => fileURLToPath(new URL(file, folder)));
    const options = { encoding: "utf8", env: { PATH: process.env.PATH } } as const;
    const { status, stdout } = spawnSync(process.execPath, [cli, "replay", ...paths, "--local"], options);
    expect([status, stdout.match(/^.*\b(?:ERROR|WARN)\b.*$/gm)]).toEqual([0, null]);
    // Who commands it may, and what they ask for comes to GitHub.
    expect(stdout).toMatch(/POST \/repos\/acme\/shop\/deployments\n.*"environment":"staging"/);
    expect(stdout).toContain("Expired: this came more than ten minutes after it was written");
  }, 120_000);

  it.each(files)("%s fits GitHub's schema and the world that all fixtures share", (file) => {
    const text = readFileSync(new URL(file, folder), "utf8");
    const payload = JSON.parse(text);
    const [event = "", action] = file.replace(/\.json$/, "").split(".");

    expect(webhookProblems(event, payload)).toEqual([]);
    if ("action" in payload) expect(payload.action).toBe(action);
    expect(payload.installation?.id).toBe(event === "ping" ? undefined : 2); // the ping of an App is no installation's
    if ("repository" in payload) expect(payload.repository).toMatchObject(shop);
    if (payload.pull_request)
      expect(atItsFirstHead(payload)).toMatchObject(pullRequests[payload.number] ?? { number: "12 or 13" });
    expect(wrongIds(payload)).toEqual([]);
    expect(unknownShas(text)).toEqual([]);
    expect(foreignLinks(text)).toEqual([]);
    expect(text).toBe(`${JSON.stringify(payload, null, 2)}\n`);
  });
});

/** How the secrets look of whom we speak with; Amazon's own example of a key is none. */
const secrets = [
  /HRKU-[\w-]{8}/,
  /A(?:KIA|SIA)(?!IOSFODNN7EXAMPLE)[A-Z0-9]{16}/,
  /aws_secret|X-Amz-Signature=/i,
  /gh[opusr]_\w{10}|github_pat_/,
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  /(?:Bearer|Basic|token) [\w+/=-]{20}/,
  /\/-\/callbacks\/[\w-]{43}/,
  /hooks\.slack\.com\/services\/T|discord(?:app)?\.com\/api\/webhooks\/\d/,
  // 40 characters of base64 that are no SHA: a secret access key.
  /(?<![\w+/=])(?![0-9a-f]{40})[\w+/]{40}(?![\w+/=])/,
];

it.each(readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".json")))(
  "the fixture %s holds nobody's secret",
  (file) => {
    const text = readFileSync(new URL(file, folder), "utf8");
    expect(secrets.flatMap((secret) => secret.exec(text) ?? [])).toEqual([]);
  },
);

const shop = {
  id: ids["acme/shop"],
  full_name: "acme/shop",
  default_branch: "main",
  clone_url: "https://github.com/acme/shop.git",
  owner: { login: "acme" },
};

/** `synchronize` alone shows another head: the one that it brings. */
function atItsFirstHead({
  pull_request,
  before,
  after,
}: {
  pull_request: { head: { sha: string } };
  before?: string;
  after?: string;
}) {
  const { head } = pull_request;
  return before !== undefined && after === head.sha ? { ...pull_request, head: { ...head, sha: before } } : pull_request;
}

function wrongIds(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.values(value).flatMap(wrongIds);
  const name = "full_name" in value ? value.full_name : "login" in value ? value.login : undefined;
  if (typeof name !== "string" || !("id" in value) || ids[name] === value.id) return inner;
  return [`${name} has the id ${value.id}`, ...inner];
}

function unknownShas(text: string): readonly string[] {
  return [...text.matchAll(/\b[0-9a-f]{40}\b/g)].map(([sha]) => sha).filter((sha) => !Object.values(shas).includes(sha));
}

/** Links to another repository or person than ours: a rest of the example that a fixture was made from. */
function foreignLinks(text: string): readonly string[] {
  const links = [...text.matchAll(/https:\/\/(?:api\.github\.com\/(?:repos|users|orgs)|github\.com)\/([^/"{?]+)/g)];
  const ours = ["apps", "organizations", "orgs", ...Object.keys(ids).map(encodeURIComponent)];
  return links.filter(([, owner = ""]) => !ours.includes(owner)).map(([link]) => link);
}
