import { join } from "node:path";
import { pino } from "pino";
import { Probot } from "probot";
import type { Repository as ShownRepository } from "../../demo/github/repository.ts";
import { openGitHub } from "../../src/github/github.ts";
import { findRepository, type Repository } from "../../src/github/repository.ts";
import { openMirrors } from "../../src/process/checkout.ts";
import { openSecretKey } from "../../src/secrets/key.ts";
import { createServices, type Services } from "../../src/services.ts";
import { checkedFetch } from "../support/github-contract.ts";
import { type SharedJourney, settingsFor } from "../support/journey.ts";
import { until } from "../support/until.ts";

/** The services of a server, opened beside it: what a deed would be handed. */
export function servicesBeside({ github, folder, server }: Pick<SharedJourney, "github" | "folder" | "server">): Services {
  const settings = settingsFor(github, { DATA_DIR: folder });
  const log = pino({ level: "silent" });
  const { appId, privateKey, webhookSecrets } = settings;
  const probot = new Probot({ appId, privateKey, secret: webhookSecrets[0], baseUrl: settings.github.api, log });
  const opened = openGitHub({ probot, apiUrl: settings.github.api, fetch: checkedFetch(fetch) });
  const mirrors = openMirrors(join(folder, "mirrors-beside"));
  const key = openSecretKey(settings.secretKey, settings.dataDir);
  return createServices({ settings, log, database: server.database, github: opened, mirrors, key });
}

/** The repository as the server knows it, once it has heard of it. */
export async function knownRepository(
  { server }: Pick<SharedJourney, "server">,
  { id }: Pick<ShownRepository, "id">,
): Promise<Repository> {
  return until("the server has heard of the repository", () => server.database.read((db) => findRepository(db, id)));
}

/** Waits until the newest deployment to an environment says this, and gives it. */
export async function says(repository: Pick<ShownRepository, "deployments">, environment: string, sentence: RegExp) {
  return until(`${environment} says ${sentence}`, () => {
    const newest = repository.deployments().findLast((one) => one.environment === environment);
    return sentence.test(newest?.statuses.at(-1)?.description ?? "") ? newest : null;
  });
}

/** Posts to the repository at GitHub as jonas, who may write. */
export async function post(
  { github }: Pick<SharedJourney, "github">,
  { fullName }: Pick<ShownRepository, "fullName">,
  what: string,
  body: object,
): Promise<void> {
  const headers = { authorization: `token ${github.person("jonas").token}`, "content-type": "application/json" };
  const answer = await fetch(`${github.url}/api/v3/repos/${fullName}/${what}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  if (answer.status !== 201) throw new Error(`GitHub answered ${answer.status}: ${await answer.text()}`);
}
