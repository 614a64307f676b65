import { html } from "hono/html";
import { addComment } from "../deeds/comments.ts";
import { mergePullRequest } from "../deeds/merging.ts";
import { atLeast, roleOf } from "../deeds/people.ts";
import { closePullRequest, reopenPullRequest } from "../deeds/pull-requests.ts";
import { newestStatuses } from "../deeds/statuses.ts";
import { readCommits } from "../git/commits.ts";
import { type Answer, forbidden, notFound, Refusal } from "../http/answers.ts";
import { type Call, numberIn, type Route, route } from "../http/router.ts";
import { fullName, type PullRequest, type Role } from "../repository-state.ts";
import type { Account, World } from "../world.ts";
import { type Piece, pageOf } from "./layout.ts";
import { deploymentList, listOf, repositoryIn, stateOf, statusList } from "./repository.ts";

/** One pull request, and what a person can do with it by plain forms. */
export const pullRequestPages: readonly Route[] = [
  route("GET", "/:owner/:repo/pull/:number", pullRequestPage),
  form("merge", "write", async (call, pull, by) => {
    const merged = await mergePullRequest(call.world, pull, { method: "merge", by });
    if (merged.kind !== "merged") throw new Refusal(405, "Pull Request is not mergeable");
  }),
  form("close", "triage", ({ world }, pull, by) => closePullRequest(world, pull, by)),
  form("reopen", "triage", ({ world }, pull, by) => reopenPullRequest(world, pull, by)),
  form("comment", "read", async ({ world, body }, pull, by) => {
    const text = new URLSearchParams(body.toString()).get("body") ?? "";
    if (text.trim() !== "") addComment(world, pull, by, text);
  }),
];

/** A form's deed in the name of the person that it names. There is no session: the one who sits here may be anybody, other sites may not. */
function form(name: string, needed: Role, deed: (call: Call, pull: PullRequest, by: Account) => Promise<void>): Route {
  return route("POST", `/:owner/:repo/pull/:number/${name}`, async (call) => {
    if (call.headers.origin !== call.world.origin) throw forbidden("This form belongs to another site");
    const pull = pullIn(call);
    const by = call.world.accounts.get((new URLSearchParams(call.body.toString()).get("by") ?? "").toLowerCase());
    if (!by || !atLeast(roleOf(pull.base.repository, by), needed)) throw forbidden(`Only people who may ${needed} can do this`);
    await deed(call, pull, by);
    return { status: 303, headers: { Location: `/${fullName(pull.base.repository)}/pull/${pull.number}` } };
  });
}

async function pullRequestPage(call: Call): Promise<Answer> {
  const { world } = call;
  const pull = pullIn(call);
  const { repository } = pull.base;
  const name = fullName(repository);
  const address = `/${name}/pull/${pull.number}`;
  const commits = await readCommits(repository.git, [`${pull.base.sha}..${pull.head.sha}`]);
  const shas = new Set([...commits.map(({ sha }) => sha), pull.merged?.sha]);
  const comments = repository.comments.filter(({ number }) => number === pull.number);
  const content = html`<p><a href="/${name}">${name}</a></p>
    <h1>${pull.title} <small>#${pull.number}</small></h1>
    <p class="soft">
      ${stateOf(pull.merged ? "merged" : pull.state)} ${pull.draft ? "draft" : ""} ${pull.author.login} wants to merge
      <code>${pull.head.repository.owner.login}:${pull.head.ref}</code> into <code>${pull.base.ref}</code>
    </p>
    ${pull.body ? html`<pre class="body">${pull.body}</pre>` : ""}
    <h2>Checks of ${pull.head.sha.slice(0, 7)}</h2>
    ${newestStatuses(repository, pull.head.sha).length > 0 ? statusList(newestStatuses(repository, pull.head.sha)) : html`<p class="empty">None yet.</p>`}
    ${actions(world, pull, address)}
    <h2>Commits</h2>
    ${listOf(commits.map(({ sha, message }) => html`<li><code>${sha.slice(0, 7)}</code> ${message.split("\n")[0]} ${statusList(newestStatuses(repository, sha))}</li>`))}
    <h2>Deployments</h2>
    ${deploymentList(repository.deployments.filter(({ sha }) => shas.has(sha)))}
    <h2>Comments</h2>
    ${listOf(comments.map(({ author, body }) => html`<li><strong>${author.login}</strong><pre class="body">${body}</pre></li>`))}
    <form method="post" action="${address}/comment">
      <p><label>Comment<textarea name="body" required></textarea></label></p>
      <p class="row">${chooser(world, pull, "read")} <button>Comment</button></p>
    </form>`;
  return pageOf(`${pull.title} #${pull.number}`, content);
}

function actions(world: World, pull: PullRequest, address: string): Piece {
  if (pull.merged) return html`<p>Merged by ${pull.merged.by.login} as <code>${pull.merged.sha.slice(0, 7)}</code>.</p>`;
  const button = (deed: string, label: string, kind = "") =>
    html`<form method="post" action="${address}/${deed}"><p class="row">${chooser(world, pull, deed === "merge" ? "write" : "triage")} <button class="${kind}">${label}</button></p></form>`;
  if (pull.state === "closed") return button("reopen", "Reopen");
  const mergeable = pull.testMerge !== null && !pull.draft;
  return html`${mergeable ? button("merge", "Merge", "go") : html`<p class="empty">${pull.draft ? "A draft cannot be merged." : "It conflicts with its base."}</p>`} ${button("close", "Close")}`;
}

/** As whom: those who may. */
function chooser(world: World, pull: PullRequest, needed: Role): Piece {
  const people = [...world.accounts.values()].filter(
    (one) => one.type === "User" && atLeast(roleOf(pull.base.repository, one), needed),
  );
  return html`<label>as <select name="by">${people.map(({ login }) => html`<option>${login}</option>`)}</select></label>`;
}

function pullIn(call: Call): PullRequest {
  const pull = repositoryIn(call).pullRequests[numberIn(call, "number") - 1];
  if (!pull) throw notFound();
  return pull;
}
