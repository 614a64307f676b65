import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import { deploymentBecomes, useSharedJourney } from "../support/journey.ts";

/** Each build makes something that no other one makes. */
const build = "mkdir dist && date +%s.%N >dist/made && ln -s /etc/passwd out && env >dist/env";
const environment = (name: string, rest: string, command = build) =>
  `  ${name}: { target: directory, with: { path: ${name}, from: dist }, require_checks: none, build: "${command}", ${rest} }`;

describe("what was built for one environment", () => {
  const journey = useSharedJourney();

  const shown = (shop: Repository, name: string, path = "made") =>
    readFile(join(journey.folder, "sites", shop.fullName, name, "current", path), "utf8");

  /** The log of the newest deployment to an environment. */
  async function logOf(shop: Repository, name: string): Promise<string> {
    const run = await journey.server.database.read((db) =>
      db
        .selectFrom("run")
        .select("id")
        .where("repository", "=", shop.id)
        .where("name", "=", name)
        .orderBy("id", "desc")
        .executeTakeFirstOrThrow(),
    );
    return (await fetch(`${journey.server.url}/${shop.fullName}/runs/${run.id}/log.txt`)).text();
  }

  it("is what goes on to the next, unless that is built by another command; where it is not kept it is built again", async () => {
    const yaml = `environments:
${environment("staging", "trigger: push")}
${environment("production", "after: staging")}
${environment("elsewhere", "after: staging", `${build} && true`)}\n`;
    const shop = await journey.repository({ ".github/signalbox.yml": yaml });
    const sha = await shop.commit({ branch: "main", files: { a: "" }, message: "A", author: "mira" });
    for (const name of ["staging", "production", "elsewhere"]) await deploymentBecomes(shop, name, "success", sha);
    const made = await shown(shop, "staging");
    expect(await shown(shop, "production")).toBe(made);
    expect(await shown(shop, "elsewhere")).not.toBe(made);
    expect(await logOf(shop, "production")).toContain(
      "This commit was built by the same command before: what was made then is used.",
    );
    expect(await shown(shop, "staging", "env")).not.toContain("SIGNALBOX_ENVIRONMENT");

    // Another machine, or one whose disk was made room on.
    await rm(join(journey.folder, "artefacts"), { recursive: true });
    await shop.createDeployment({ by: "jonas", environment: "production", ref: sha });
    await deploymentBecomes(shop, "production", "success", sha);
    expect(await logOf(shop, "production")).toContain(
      "It was built before, but what was made is not kept on this machine, so it is built again.",
    );
    expect(await shown(shop, "production")).not.toBe(made);
  });
});
