import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Transaction } from "../../database/connection.ts";
import { type Actor, type Answer, mayAct, type PreparedDeed, refused } from "../../deeds/actor.ts";
import { approveChecks } from "../../deeds/approve-checks.ts";
import { approveEnvironment } from "../../deeds/approve-environment.ts";
import { cancelRun } from "../../deeds/cancel-run.ts";
import { deploy } from "../../deeds/deploy.ts";
import { handleAgain } from "../../deeds/handle-again.ts";
import { lock, unlock } from "../../deeds/lock.ts";
import { promote } from "../../deeds/promote.ts";
import { redeliver } from "../../deeds/redeliver.ts";
import { rollBack } from "../../deeds/roll-back.ts";
import { runAgain } from "../../deeds/run-again.ts";
import { readPullRequest } from "../../github/pull-requests.ts";
import type { Repository } from "../../github/repository.ts";
import { findRun } from "../../runs/read.ts";
import { isFromOurPage } from "./csrf.ts";
import type { House, Request, Visit } from "./house.ts";
import { wholeNumber } from "./log-lines.ts";
import { notFound } from "./only.ts";
import { forgedPage, readerPage } from "./pages/notice.ts";
import { keepSaid, saidOf } from "./said.ts";
import { ownPath } from "./sign-in.ts";
import { wantsJson } from "./wants-json.ts";

/** What a form holds; a field that it does not hold is empty. */
type Form = (field: string) => string;

interface Wish {
  readonly repository: Repository;
  readonly actor: Actor;
  readonly form: Form;
  /** Of the address. */
  readonly of: string;
}

type Deed = (house: House, wish: Wish) => Promise<PreparedDeed> | PreparedDeed;

/** A page's deeds have no event behind them: their runs are found through the history. */
const cause = { kind: "deed", id: 0 } as const;

const onRun: Readonly<Record<string, Deed>> = {
  cancel: (_house, { repository, actor, form, of }) => {
    return (tx) => cancelRun(tx, actor, { repository: repository.id, run: Number(of), ...reasonFrom(form) });
  },
  again: ({ settings }, { repository, actor, of }) => {
    return (tx) => runAgain(tx, actor, { repository: repository.id, run: Number(of), sandbox: settings.sandbox });
  },
  approve: approveRun,
};

const onEnvironment: Readonly<Record<string, Deed>> = {
  deploy(house, { repository, actor, form, of: environment }) {
    const sha = form("sha").trim();
    const { reason } = reasonFrom(form);
    const breaks = form("override") === "yes";
    if (breaks && reason === undefined) return says(refused("Say why you break the glass: it is written in the history"));
    const order = { repository, environment, cause, ...(sha === "" ? {} : { sha }), ...(reason === undefined ? {} : { reason }) };
    return deploy(house, actor, breaks && reason !== undefined ? { ...order, override: { reason } } : order);
  },
  promote(house, { repository, actor, form, of: from }) {
    const sha = form("sha");
    const order = { repository, from, to: form("to"), cause, ...reasonFrom(form) };
    return promote(house, actor, sha === "" ? order : { ...order, sha });
  },
  rollback(house, { repository, actor, form, of: environment }) {
    const { reason = `rolled back by ${actor.login}` } = reasonFrom(form);
    const to = form("sha");
    return rollBack(house, actor, { repository, environment, reason, cause, ...(to === "" ? {} : { to }) });
  },
  lock(house, { repository, actor, form, of: environment }) {
    const { reason } = reasonFrom(form);
    if (reason === undefined) return says(refused("Say why: whoever finds it locked will ask"));
    return lock(house, actor, { repository, environment, reason });
  },
  unlock: (_house, { repository, actor, form, of: environment }) =>
    unlock(actor, { repository, environment, ...reasonFrom(form) }),
};

const onDelivery: Readonly<Record<string, Deed>> = {
  again: (_house, { repository, actor, of }) => {
    return (tx) => handleAgain(tx, actor, { repository: repository.id, receipt: Number(of) });
  },
  redeliver: (house, { repository, actor, of }) => redeliver(house, actor, { repository: repository.id, receipt: Number(of) }),
};

/** What people do on the pages: the same deeds as by comment, with the same permission and history. Each is a form that names its page's token. */
export function actionRoutes(house: House, ...before: readonly MiddlewareHandler<Visit>[]): Hono<Visit> {
  const routes = new Hono<Visit>();
  for (const [path, deeds, isNumber] of [
    ["/:owner/:repo/runs/:of/:deed", onRun, true],
    ["/:owner/:repo/environments/:of/:deed", onEnvironment, false],
    ["/:owner/:repo/deliveries/:of/:deed", onDelivery, true],
  ] as const) {
    for (const middleware of [...before, small]) routes.post(path, middleware);
    routes.post(path, async (c) => {
      const [of, name] = [c.req.param("of") ?? "", c.req.param("deed") ?? ""];
      const deed = Object.hasOwn(deeds, name) ? deeds[name] : undefined;
      if (deed === undefined || (isNumber && wholeNumber(of) === null)) return notFound(c, house);
      return act(c, house, deed, of);
    });
  }
  return routes;
}

/** The longest form is a reason. */
const small = bodyLimit({ maxSize: 64 * 1024 });

async function act(c: Request, house: House, deed: Deed, of: string): Promise<Response> {
  const fields = await c.req.parseBody();
  const form: Form = (field) => (typeof fields[field] === "string" ? fields[field] : "");
  const session = c.get("session");
  if (!isFromOurPage(c, house, form("csrf"))) {
    if (wantsJson(c)) return c.json({ error: "This did not come from a page of Signalbox" }, 403);
    return c.html(forgedPage(house, session), 403);
  }
  const repository = c.get("repository");
  const actor = await house.rights.actor(session, repository);
  if (!mayAct(actor)) {
    if (wantsJson(c)) return c.json({ error: "You may read here, but not write" }, 403);
    return c.html(readerPage(house, session), 403);
  }
  const prepared = await deed(house, { repository, actor, form, of });
  const answer = await house.database.write((tx: Transaction): Promise<Answer> => prepared(tx));
  house.log.info({ person: actor.login, path: c.req.path, outcome: answer.kind }, "a deed by page");
  if (wantsJson(c)) return c.json(saidOf(answer), answer.kind === "done" ? 200 : 409);
  keepSaid(c, house, answer);
  return c.redirect(ownPath(form("back")), 303);
}

/** A check of a fork's commit, or a deployment that waits for people: the very commit that the page showed. */
async function approveRun(house: House, { repository, actor, form, of }: Wish): Promise<PreparedDeed> {
  const run = await house.database.read((db) => findRun(db, Number(of)));
  if (run === null || run.repository !== repository.id) return says(refused(`There is no run ${of}`));
  const sha = form("sha");
  if (run.kind === "deployment") return approveEnvironment(house, actor, { repository, environment: run.environment, sha });
  if (run.trust === "own" || run.pullRequest === null) return says(refused("Only commits of forks need an approval"));
  const now = await readPullRequest(house.github.as(repository.installation), repository, run.pullRequest);
  const pullRequest = { ...now, repository: repository.id, number: run.pullRequest };
  return (tx) => approveChecks(tx, actor, { pullRequest, sha, sandbox: house.settings.sandbox });
}

function says(answer: Answer): PreparedDeed {
  return async () => answer;
}

const longestReason = 500;

/** In one line, as the history shows it. */
function reasonFrom(form: Form): { readonly reason?: string } {
  const reason = form("reason").replace(/\s+/g, " ").trim().slice(0, longestReason);
  return reason === "" ? {} : { reason };
}
