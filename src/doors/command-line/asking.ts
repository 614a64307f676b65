import { userInfo } from "node:os";
import type { Actor } from "../../deeds/actor.ts";
import type { AskingMeans } from "../../deployments/means.ts";
import { openGitHub } from "../../github/github.ts";
import { findPerson } from "../../github/people.ts";
import type { Repository } from "../../github/repository.ts";
import { targetsWith } from "../../known.ts";
import { createLog } from "../../log.ts";
import { createProbot } from "../../probot.ts";
import { fileLoader } from "../../services.ts";
import type { Beside } from "./beside-server.ts";

/** What it takes to ask GitHub beside the server, as the App: nothing is asked yet. */
export async function askingBeside({ settings, database }: Pick<Beside, "settings" | "database">): Promise<AskingMeans> {
  // What goes wrong is the command's to say.
  const log = createLog({ level: "silent", format: "json" });
  const github = openGitHub({ probot: createProbot({ settings, log }), apiUrl: settings.github.api });
  const known = { maxTimeout: settings.maxTimeout, targets: await targetsWith(settings.plugins) };
  return { database, github, log, loadFile: fileLoader(known, github) };
}

/**
 * Who acts. Who can run the command line owns the server, and is asked for no permission; in the name of somebody else, only what GitHub lets
 * that person do. docs/decisions/0008-who-types-at-the-command-line.md
 */
export async function actorFor({ github }: AskingMeans, repository: Repository, as: string | undefined): Promise<Actor> {
  const { username } = userInfo();
  if (as === undefined) return { login: username, id: 0, role: "operator", door: "command line" };
  const login = as.replace(/^@/, "");
  const person = await findPerson(github.as(repository.installation), repository, login);
  if (person === null || person.id === null) throw new Error(`GitHub knows nobody called ${login}`);
  return { login: person.login, id: person.id, role: person.role, door: "command line", typedBy: username };
}
