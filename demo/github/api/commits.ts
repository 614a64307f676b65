import { EMPTY_TREE, readCommits, readHeads, resolveCommit } from "../git/commits.ts";
import { mergeBase, readDifferences } from "../git/differences.ts";
import { type Answer, clamp, notFound, ok, page, Refusal } from "../http/answers.ts";
import { type Call, parameter, type Route, repositoryRoute } from "../http/router.ts";
import { commitJson, fileChangeJson, gitCommitJson } from "../json/commit.ts";
import { pullRequestSummaryJson } from "../json/pull-request.ts";
import { repositoryPage, repositoryUrl } from "../json/repository.ts";
import { fullName, type RepositoryState } from "../repository-state.ts";
import { appIdOf, findRepository } from "../world.ts";

/** Commits, branches, trees and what lies between two commits. */
export const commitRoutes: readonly Route[] = [
  repositoryRoute("GET", "/commits", ["contents:read"], async (call, repository) => {
    const start = await requireCommit(repository, call.url.searchParams.get("sha") ?? repository.defaultBranch);
    const path = call.url.searchParams.get("path");
    const commits = await readCommits(repository.git, ["--max-count=1000", start], path ? [path] : []);
    return page(
      call.url,
      commits.map((commit) => commitJson(call.world, repository, commit)),
    );
  }),
  repositoryRoute("GET", "/commits/:sha/pulls", ["pull_requests:read", "contents:read"], async (call, repository) => {
    const sha = await requireCommit(repository, parameter(call, "sha"));
    const concerned = [];
    for (const pull of repository.pullRequests) {
      const own = (await repository.git(["rev-list", `refs/pull/${pull.number}/head`, `^${pull.base.sha}`])).split("\n");
      if (own.includes(sha) || pull.merged?.sha === sha) concerned.push(pull);
    }
    return page(
      call.url,
      concerned.map((pull) => pullRequestSummaryJson(call.world, pull)),
    );
  }),
  repositoryRoute("GET", "/commits/:ref*", ["contents:read"], async (call, repository) => {
    const sha = await requireCommit(repository, parameter(call, "ref"));
    if (String(call.headers.accept).includes(".sha"))
      return { status: 200, body: Buffer.from(sha), headers: { "Content-Type": "text/plain" } };
    const [commit] = await readCommits(repository.git, ["--max-count=1", sha]);
    if (!commit) throw notFound();
    const files = await readDifferences(repository.git, commit.parents[0] ?? EMPTY_TREE, sha);
    const sum = (side: "additions" | "deletions") => files.reduce((total, file) => total + file[side], 0);
    const [additions, deletions] = [sum("additions"), sum("deletions")];
    return ok({
      ...commitJson(call.world, repository, commit),
      stats: { additions, deletions, total: additions + deletions },
      files: files.map((file) => fileChangeJson(call.world, repository, sha, file)),
    });
  }),
  repositoryRoute("GET", "/git/commits/:sha", ["contents:read"], async (call, repository) => {
    const [commit] = await readCommits(repository.git, [
      "--max-count=1",
      await requireCommit(repository, parameter(call, "sha"), notFound()),
    ]);
    if (!commit) throw notFound();
    return ok(gitCommitJson(call.world, repository, commit));
  }),
  repositoryRoute("GET", "/compare/:basehead*", ["contents:read"], compare),
  repositoryRoute("GET", "/branches", ["contents:read"], async (call, repository) => {
    const url = `${repositoryUrl(call.world, repository)}/commits`;
    const heads = [...(await readHeads(repository.git))];
    return page(
      call.url,
      heads.map(([name, sha]) => ({ name, commit: { sha, url: `${url}/${sha}` }, protected: false })),
    );
  }),
  repositoryRoute("GET", "/branches/:branch", ["contents:read"], async (call, repository) => {
    const name = parameter(call, "branch");
    const sha = (await readHeads(repository.git)).get(name);
    const [commit] = sha ? await readCommits(repository.git, ["--max-count=1", sha]) : [];
    if (!commit) throw new Refusal(404, "Branch not found");
    const required = repository.required.get(name)?.byProtection ?? [];
    const self = `${repositoryUrl(call.world, repository)}/branches/${encodeURIComponent(name)}`;
    return ok({
      name,
      commit: commitJson(call.world, repository, commit),
      _links: { self, html: `${repositoryPage(call.world, repository)}/tree/${name}` },
      protected: required.length > 0,
      protection: {
        enabled: required.length > 0,
        required_status_checks: {
          enforcement_level: required.length > 0 ? "non_admins" : "off",
          contexts: required.map((one) => (typeof one === "string" ? one : one.context)),
          checks: required.map((one) =>
            typeof one === "string"
              ? { context: one, app_id: null }
              : { context: one.context, app_id: appIdOf(call.world, one.app) },
          ),
        },
      },
      protection_url: `${self}/protection`,
    });
  }),
];

/** The full SHA that a ref stands for, or a refusal. */
export async function requireCommit(repository: RepositoryState, ref: string, otherwise?: Refusal): Promise<string> {
  if (repository.seen.has(ref)) return ref;
  const sha = await resolveCommit(repository.git, ref);
  if (sha) repository.seen.add(sha);
  if (!sha) throw otherwise ?? new Refusal(422, `No commit found for SHA: ${ref}`);
  return sha;
}

/** https://docs.github.com/en/rest/commits/commits#compare-two-commits: the files are those between the merge base and the head. */
async function compare(call: Call, repository: RepositoryState): Promise<Answer> {
  const { world } = call;
  const [from = "", to = ""] = parameter(call, "basehead").split("...");
  const [base, head] = await Promise.all([end(call, repository, from), end(call, repository, to)]);
  const ancestor = await mergeBase(repository.git, base, head);
  if (!ancestor) throw new Refusal(404, `No common ancestor between ${from} and ${to}.`);
  const [counts, files, ends, ahead] = await Promise.all([
    repository.git(["rev-list", "--left-right", "--count", `${base}...${head}`]),
    readDifferences(repository.git, ancestor, head),
    readCommits(repository.git, ["--no-walk=unsorted", base, ancestor]),
    readCommits(repository.git, ["--reverse", "--topo-order", `${base}..${head}`]),
  ]);
  const [behindBy = 0, aheadBy = 0] = counts.trim().split("\t").map(Number);
  const json = (sha: string) =>
    ends.filter((commit) => commit.sha === sha).map((commit) => commitJson(world, repository, commit))[0];
  const page = `${repositoryPage(world, repository)}/compare/${from}...${to}`;
  const size = clamp(Number(call.url.searchParams.get("per_page") ?? 250), 1, 250);
  return ok({
    url: `${repositoryUrl(world, repository)}/compare/${from}...${to}`,
    html_url: page,
    permalink_url: `${repositoryPage(world, repository)}/compare/${fullName(repository).replace("/", ":")}:${base.slice(0, 7)}...${head.slice(0, 7)}`,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    base_commit: json(base),
    merge_base_commit: json(ancestor),
    status: aheadBy > 0 ? (behindBy > 0 ? "diverged" : "ahead") : behindBy > 0 ? "behind" : "identical",
    ahead_by: aheadBy,
    behind_by: behindBy,
    total_commits: aheadBy,
    commits: ahead.slice(0, size).map((commit) => commitJson(world, repository, commit)),
    files: files.slice(0, 300).map((file) => fileChangeJson(world, repository, head, file)),
  });
}

/** `branch`, a SHA, or `owner:branch` of a fork. */
async function end(call: Call, repository: RepositoryState, name: string): Promise<string> {
  const [owner, branch] = name.includes(":") ? name.split(":") : [repository.owner.login, name];
  const source = owner === repository.owner.login ? repository : findRepository(call.world, owner ?? "", repository.name);
  return requireCommit(source ?? repository, source ? (branch ?? "") : "", notFound());
}
