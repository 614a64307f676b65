import { z } from "zod";
import { createComment, findComment, updateComment } from "../github/comments.ts";
import type { Repository } from "../github/repository.ts";
import { type PreviewOfPullRequest, previewsOf } from "../runs/previews.ts";
import type { DeploymentRun } from "../runs/run.ts";
import { sentenceOf, short } from "../runs/sentences.ts";
import { runUrl } from "./links.ts";
import { asCode } from "./markdown.ts";
import type { ReporterOptions } from "./reporter.ts";
import type { Report } from "./say.ts";

const said = z.object({ comment: z.int(), body: z.string() });

/** By which our comment is found again when nobody knows whether it was made. */
const mark = "<!-- signalbox previews -->";

/** Says in one comment on a pull request where its previews are and how they are; later it is edited. One that somebody deleted is made anew with the next change. */
export async function sayPreviews(
  number: number,
  report: Report,
  repository: Repository,
  { database, github, publicUrl }: ReporterOptions,
): Promise<string | null> {
  const previews = await database.read((db) => previewsOf(db, repository.id, number));
  if (previews.length === 0) return report.said;
  const body = previewComment(previews, (run) => runUrl(repository, run.id, { publicUrl }));
  const before = report.said === null ? null : said.parse(JSON.parse(report.said));
  if (before?.body === body) return report.said;
  const installation = github.as(repository.installation);
  const since = new Date(Math.min(...previews.map(({ newest }) => newest.createdAt.getTime())) - slowClocks);
  const known = before?.comment ?? (await findComment(installation, repository, number, { since, text: mark }));
  const isThere = known !== null && (await updateComment(installation, repository, known, body));
  const comment = isThere ? known : await createComment(installation, repository, number, body);
  return JSON.stringify({ comment, body });
}

/** Milliseconds that our clock may be ahead of GitHub's. */
const slowClocks = 10 * 60_000;

/** The text of the comment. Nothing in it that a stranger may have written is a mention, a link or markup. */
export function previewComment(previews: readonly PreviewOfPullRequest[], linkOf: (run: DeploymentRun) => string): string {
  return `${mark}\n${previews.map((preview) => lineOf(preview, linkOf)).join("\n")}\n`;
}

function lineOf({ preview, newest, live }: PreviewOfPullRequest, linkOf: (run: DeploymentRun) => string): string {
  const link = `[Log](${linkOf(newest)})`;
  const name = `**${preview.replaceAll("_", "\\_")}**`;
  const address = live === null ? null : addressOf(live);
  const shows = live === null ? null : `${address === null ? "is live" : address}, showing ${short(live.sha)}`;
  if (live !== null && live.id === newest.id) return `- ${name}: ${shows}. ${link}`;
  const now = newest.task === "teardown" ? goingInWords(newest) : `${short(newest.sha)}: ${asCode(sentenceOf(newest))}`;
  return `- ${name}: ${shows === null ? now : `${shows}; ${now}`} ${link}`;
}

function goingInWords(teardown: DeploymentRun): string {
  if (teardown.state !== "finished") return "being taken down.";
  const words = asCode(sentenceOf(teardown));
  return teardown.outcome.kind === "passed" ? words : `not taken down yet: ${words}`;
}

/** Only what a browser takes for an address of the web; it is written in a form that ends nowhere else than it should. */
function addressOf(live: DeploymentRun): string | null {
  const text = live.state === "finished" && live.outcome.kind === "passed" ? live.outcome.live?.url : undefined;
  const url = text === undefined ? null : URL.parse(text);
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") ? `<${url.href}>` : null;
}
