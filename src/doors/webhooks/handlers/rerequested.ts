import type { Context } from "probot";
import type { Transaction } from "../../../database/connection.ts";
import type { Actor, Answer } from "../../../deeds/actor.ts";
import { runAgain, runFailedAgain } from "../../../deeds/run-again.ts";
import { roleOf } from "../../../github/people.ts";
import { rememberRepository } from "../../../github/repository.ts";
import { findRun } from "../../../runs/read.ts";
import type { Services } from "../../../services.ts";
import { repositoryFrom } from "../payloads.ts";

/** Somebody pressed "Re-run" at one of our check runs: a check runs again whatever its result, as by /retry; of what stands for several, those that did not pass. */
export async function checkRunRerequested({ payload }: Context<"check_run.rerequested">, services: Services): Promise<void> {
  const { app, head_sha: sha, external_id: externalId } = payload.check_run;
  const { sandbox, appId } = services.settings;
  if (app?.id !== appId) return;
  await obey(services, payload, async (tx, actor, repository) => {
    // As `reporting` writes it: "run 12 1". It may be of a database that was put back since.
    const [kind, id] = externalId.split(" ");
    const run = kind === "run" ? await findRun(tx.db, Number(id)) : null;
    if (run !== null && run.sha === sha) return [await runAgain(tx, actor, { repository, run: run.id, sandbox })];
    return runFailedAgain(tx, actor, { repository, sha, sandbox });
  });
}

/** Somebody pressed "Re-run all checks": those run again that did not pass. */
export async function checkSuiteRerequested({ payload }: Context<"check_suite.rerequested">, services: Services): Promise<void> {
  const { app, head_sha: sha } = payload.check_suite;
  const { sandbox, appId } = services.settings;
  if (app?.id !== appId) return;
  await obey(services, payload, (tx, actor, repository) => runFailedAgain(tx, actor, { repository, sha, sandbox }));
}

type Pressed = Parameters<typeof repositoryFrom>[0] & { readonly sender: { readonly login: string; readonly id: number } };

/** GitHub has no place for an answer: a refusal is said in the log. Safe to repeat: what is under way is left alone. */
async function obey(
  { database, github, log }: Services,
  payload: Pressed,
  deed: (tx: Transaction, actor: Actor, repository: number) => Promise<readonly Answer[]>,
): Promise<void> {
  const { login, id } = payload.sender;
  const repository = repositoryFrom(payload);
  const role = await roleOf(github.as(repository.installation), repository, { login, id });
  const answers = await database.write(async (tx) => {
    await rememberRepository(tx, repository);
    return deed(tx, { login, id, role, door: "check run" }, repository.id);
  });
  for (const answer of answers)
    if (answer.kind === "refused")
      log.info({ repository: repository.id, person: login, why: answer.why }, "a re-run was refused");
}
