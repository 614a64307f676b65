import { describe, expect, it } from "@jest/globals";
import { usualPermissions } from "../../demo/github/create-world.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { calm, deploymentBecomes, deploymentSays, statusBecomes, useSharedJourney } from "../support/journey.ts";
import { until } from "../support/until.ts";

describe("a comment about a deployment", () => {
  const journey = useSharedJourney({ github: { permissions: { ...usualPermissions, members: "read" } } });

  /** A repository whose environment `live` has these keys too; mira writes, jonas maintains. */
  async function repositoryWith(keys: string): Promise<Repository> {
    const environment = `trigger: merge, target: directory, with: { path: live, from: site }${keys}`;
    const yaml = `checks: { test: { run: "true" } }\nenvironments: { live: { ${environment} } }\n`;
    const shop = await journey.repository({ ".github/signalbox.yml": yaml, "site/index.html": "first\n" });
    shop.permit("mira", "write");
    shop.permit("jonas", "maintain");
    shop.permit("ana", "write");
    return shop;
  }

  /** Opens mira's pull request with a green check. */
  async function propose(shop: Repository, text: string): Promise<number> {
    const files = { "site/index.html": `${text}\n` };
    const head = await shop.commit({ branch: text, from: "main", files, message: text, author: "mira" });
    const number = await shop.openPullRequest({ title: text, head: text, author: "mira" });
    await statusBecomes(shop, head, "signalbox", "success");
    return number;
  }

  /** Comments, waits for the reaction, and gives what was answered in words. */
  async function say(shop: Repository, number: number, by: string, body: string): Promise<string> {
    const id = await shop.comment({ by, number, body });
    const reaction = await until(
      "it has a reaction",
      () => shop.comments(number).find((comment) => comment.id === id)?.reactions[0]?.content,
    );
    await calm(journey);
    const answer = shop
      .comments(number)
      .find((comment) => comment.author.type === "Bot" && comment.body.includes(`answers ${id} `));
    return answer?.body.split("\n\n<!--")[0] ?? reaction;
  }

  async function history(shop: Repository): Promise<readonly object[]> {
    return journey.server.database.read((db) =>
      db
        .selectFrom("history")
        .select(["deed", "person", "environment", "reason", "door"])
        .where("repository", "=", shop.id)
        .orderBy("id")
        .execute(),
    );
  }

  it("locks an environment, says so where a deployment waits, and lets it go with the unlock", async () => {
    const shop = await repositoryWith("");
    const number = await propose(shop, "autumn");
    expect(await say(shop, number, "mira", "/lock live the sale goes on")).toBe("rocket");
    expect(await say(shop, number, "jonas", "/lock live me too")).toMatch(
      /^`\/lock live`: live is locked already by mira since .*: the sale goes on$/,
    );
    expect(await say(shop, number, "jonas", "/lock nowhere x")).toBe(
      '`/lock nowhere`: the default branch\'s file has no environment "nowhere"',
    );
    const merged = await shop.merge(number, { by: "jonas" });
    await until("it waits for the lock", () =>
      shop.deployments()[0]?.statuses.some(({ description }) => /^Waiting for the lock of mira/.test(description ?? "")),
    );
    expect(await say(shop, number, "jonas", "/unlock live")).toBe("rocket");
    await deploymentBecomes(shop, "live", "success", merged);
    expect(await say(shop, number, "jonas", "/unlock live")).toBe("`/unlock live`: live is not locked");
    expect((await history(shop)).map((row) => ({ ...row }))).toEqual([
      { deed: "lock", person: "mira", environment: "live", reason: "the sale goes on", door: "comment" },
      { deed: "unlock", person: "jonas", environment: "live", reason: null, door: "comment" },
    ]);
  });

  it("approves a commit for an environment, but not the author's own", async () => {
    const shop = await repositoryWith(", approvals: { count: 1 }");
    const number = await propose(shop, "winter");
    const merged = await shop.merge(number, { by: "jonas" });
    await deploymentSays(shop, "live", `Waiting for approval: /approve live ${merged.slice(0, 7)}`);
    expect(await say(shop, number, "mira", `/approve live ${merged.slice(0, 7)}`)).toMatch(/somebody else must approve it$/);
    expect(await say(shop, number, "jonas", `/approve live ${merged.slice(0, 7)}`)).toMatch(/somebody else must approve it$/);
    expect(await say(shop, number, "ana", `/approve live ${merged.slice(0, 7)}`)).toBe("rocket");
    await deploymentBecomes(shop, "live", "success", merged);
  });

  it("approves it for one of the teams that may, not for another writer", async () => {
    const shop = await repositoryWith(", approvals: { teams: [on-call] }");
    const number = await propose(shop, "winter");
    const merged = await shop.merge(number, { by: "jonas" });
    await deploymentSays(shop, "live", `Waiting for approval by team on-call: /approve live ${merged.slice(0, 7)}`);
    expect(await say(shop, number, "ana", `/approve live ${merged.slice(0, 7)}`)).toMatch(/on-call/);
    journey.github.team(shop.fullName.split("/")[0] ?? "", "on-call", ["ana"]);
    expect(await say(shop, number, "ana", `/approve live ${merged.slice(0, 7)}`)).toBe("rocket");
    await deploymentBecomes(shop, "live", "success", merged);
  });

  it("deploys, breaks the glass for maintainers alone, and rolls back", async () => {
    const shop = await repositoryWith("");
    const first = await shop.merge(await propose(shop, "spring"), { by: "jonas" });
    await deploymentBecomes(shop, "live", "success", first);
    const number = await propose(shop, "summer");
    const second = await shop.merge(number, { by: "jonas" });
    await deploymentBecomes(shop, "live", "success", second);

    expect(await say(shop, number, "mira", '/deploy live --override "it burns"')).toBe(
      "`/deploy live`: mira is no maintainer: only maintainers break the glass",
    );
    expect(await say(shop, number, "mira", "/rollback live the prices are wrong")).toBe("rocket");
    const back = await until("the first commit is live again", () =>
      shop
        .deployments()
        .find(({ sha, task, statuses }) => sha === first && task === "rollback" && statuses.at(-1)?.state === "success"),
    );
    expect(back.environment).toBe("live");
    const locked = await say(shop, number, "jonas", '/deploy live --override "it burns"');
    expect(locked).toBe("rocket");
    await until("the lock holds even this", () =>
      shop
        .deployments()
        .at(-1)
        ?.statuses.some(({ description }) => /^Waiting for the lock of mira/.test(description ?? "")),
    );
    expect((await history(shop)).map((row) => ({ ...row }))).toMatchObject([
      { deed: "roll back", person: "mira", reason: "the prices are wrong" },
      { deed: "break glass", person: "jonas", reason: "it burns" },
    ]);
  });
});
