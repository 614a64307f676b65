import type { Transaction } from "../../database/connection.ts";
import { type Actor, mayAct, type PreparedDeed } from "../../deeds/actor.ts";
import { createComment, hasComment } from "../../github/comments.ts";
import { roleOf } from "../../github/people.ts";
import { GitHubProblem } from "../../github/problem.ts";
import { readPullRequest } from "../../github/pull-requests.ts";
import { react } from "../../github/reactions.ts";
import { type Repository, rememberRepository } from "../../github/repository.ts";
import type { Services } from "../../services.ts";
import { prepare } from "./commands.ts";
import { findHeard, type Heard, isTiresome, keepAnswered, keepHeard } from "./heard.ts";
import { type Command, parseComment } from "./parse.ts";
import { confused, type Obeyed, type Reply, replyTo } from "./words.ts";

/** A new comment of a person on a pull request. */
export interface WrittenComment {
  readonly id: number;
  readonly repository: Repository;
  readonly pullRequest: number;
  readonly person: { readonly login: string; readonly id: number };
  readonly body: string;
  readonly writtenAt: Date;
}

const mostCommands = 10;
/** What was meant ten minutes ago may be wrong now: a command that comes late (GitHub or this server was away) is not obeyed. */
const validFor = 10 * 60_000;

/**
 * Obeys the commands of a comment, all of them in one transaction and once, whenever and however often it is delivered; then reacts to it,
 * and answers where there is something to say. A comment without commands costs nothing.
 */
export async function hearComment(services: Services, comment: WrittenComment): Promise<void> {
  const commands = parseComment(comment.body);
  if (commands.length === 0) return;
  const before = await services.database.read((db) => findHeard(db, comment.id));
  if (before?.isAnswered) return;
  const heard = before ?? (await decide(services, comment, commands));
  if (heard === "ignored") return;
  try {
    await tell(services, comment, heard, before);
  } catch (error) {
    if (!(error instanceof GitHubProblem) || error.retryable) throw error;
    // The comment is gone, the conversation is locked, or the App may not write: what was commanded is done all the same.
    services.log.warn({ err: error, comment: comment.id }, "GitHub does not take the answer to a comment");
  }
  await services.database.write((tx) => keepAnswered(tx, comment.id));
}

async function decide(services: Services, comment: WrittenComment, commands: readonly Command[]): Promise<Reply | "ignored"> {
  const { repository, person } = comment;
  const github = services.github.as(repository.installation);
  if (await services.database.write((tx) => isTiresome(tx, repository.id, person.id))) return "ignored";
  const actor: Actor = { ...person, role: await roleOf(github, repository, person), door: "comment" };
  if (!mayAct(actor)) return keep(services, comment, async () => ({ reaction: "-1", answer: null }));
  const now = await readPullRequest(github, repository, comment.pullRequest);
  const pullRequest = { ...now, repository: repository.id, number: comment.pullRequest };
  const deeds: PreparedDeed[] = [];
  const place = { repository, pullRequest, cause: { kind: "deed" as const, id: comment.id } };
  if (commands.length <= mostCommands) for (const command of commands) deeds.push(await prepare(services, actor, command, place));
  return keep(services, comment, (tx) => obeyAll(tx, comment, commands, deeds));
}

async function keep(
  { database }: Services,
  { id, repository, person }: WrittenComment,
  work: (tx: Transaction) => Promise<Reply>,
): Promise<Reply> {
  return database.write(async (tx) => {
    await rememberRepository(tx, repository);
    const reply = await work(tx);
    await keepHeard(tx, { id, repository: repository.id, person: person.id }, reply);
    return reply;
  });
}

async function obeyAll(
  tx: Transaction,
  comment: WrittenComment,
  commands: readonly Command[],
  deeds: readonly PreparedDeed[],
): Promise<Reply> {
  if (tx.now - comment.writtenAt.getTime() > validFor)
    return confused(
      "Expired: this came more than ten minutes after it was written, so it was not obeyed. If it still holds, write it again.",
    );
  if (commands.length > mostCommands)
    return confused(`${commands.length} commands are too many for one comment: at most ${mostCommands}. None was obeyed.`);
  const obeyed: Obeyed[] = [];
  for (const [index, command] of commands.entries()) {
    const deed = deeds[index];
    if (deed !== undefined) obeyed.push({ command, answer: await deed(tx) });
  }
  return replyTo(obeyed);
}

/** Reactions may be repeated; an answer is looked for first when an earlier attempt may have posted it. */
async function tell(services: Services, comment: WrittenComment, reply: Reply, before: Heard | null): Promise<void> {
  const { id, repository, pullRequest } = comment;
  const github = services.github.as(repository.installation);
  await react(github, repository, id, reply.reaction);
  if (reply.answer === null) return;
  const mark = `<!-- signalbox answers ${id} -->`;
  if (before !== null && (await hasComment(github, repository, pullRequest, { since: comment.writtenAt, text: mark }))) return;
  await createComment(github, repository, pullRequest, `${reply.answer}\n\n${mark}`);
}
