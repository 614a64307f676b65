import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import { approveEnvironment } from "../../src/deployments/approvals.ts";
import { lockEnvironment, unlockEnvironment } from "../../src/deployments/locks.ts";
import { requestDeployment } from "../../src/deployments/request.ts";
import { why } from "../../src/deployments/why.ts";
import { calm, deploymentBecomes, statusBecomes, useSharedJourney } from "../support/journey.ts";
import { knownRepository, post, says, servicesBeside } from "./deployment-house.ts";

const path = ".github/signalbox.yml";

describe("a deployment waits", () => {
  const journey = useSharedJourney();

  /** A repository whose environment `live` has these keys too. */
  function repositoryWith(keys: string, trigger = "merge"): Promise<Repository> {
    const environment = `trigger: ${trigger}, target: directory, with: { path: live, from: site }`;
    const yaml = `checks: { test: { run: "true" } }\nenvironments: { live: { ${environment}, ${keys} } }\n`;
    return journey.repository({ [path]: yaml, "site/index.html": "first\n" });
  }

  /** Merges a green pull request of mira's. */
  async function merge(shop: Repository, text: string): Promise<{ readonly head: string; readonly sha: string }> {
    const files = { "site/index.html": `${text}\n` };
    const head = await shop.commit({ branch: text, from: "main", files, message: text, author: "mira" });
    const number = await shop.openPullRequest({ title: text, head: text, author: "mira" });
    await statusBecomes(shop, head, "signalbox", "success");
    return { head, sha: await shop.merge(number, { by: "jonas" }) };
  }

  async function page(shop: Repository): Promise<string> {
    return readFile(join(journey.folder, "sites", shop.fullName, "live", "current", "index.html"), "utf8");
  }

  const write = (...work: Parameters<typeof journey.server.database.write>) => journey.server.database.write(...work);

  it("for the lock, says whose and why, and goes on when it is taken away", async () => {
    const shop = await repositoryWith("");
    const place = { repository: shop.id, environment: "live" };
    await write((tx) => lockEnvironment(tx, { ...place, by: "jonas", reason: "the sale goes on" }));
    expect(await write((tx) => lockEnvironment(tx, { ...place, by: "mira", reason: "me too" }))).toMatchObject({
      kind: "refused",
      because: "locked",
      sentence: expect.stringMatching(/^live is locked already by jonas since .* \(UTC\): the sale goes on$/),
    });

    const { sha } = await merge(shop, "autumn");
    await says(shop, "live", /^Waiting for the lock of jonas since .* \(UTC\): the sale goes on$/);
    const { lock, onTheirWay } = await journey.server.database.read((db) => why(db, shop.id, "live"));
    expect(lock).toMatchObject({ by: "jonas", reason: "the sale goes on" });
    expect(onTheirWay.map(({ gates }) => gates.map(({ opens }) => opens))).toEqual([
      ["Unlock it when its reason is over: /unlock live"],
    ]);

    expect(await write((tx) => unlockEnvironment(tx, place))).toMatchObject({ kind: "unlocked" });
    await deploymentBecomes(shop, "live", "success", sha);
    expect(await page(shop)).toBe("autumn\n");
    expect(await write((tx) => unlockEnvironment(tx, place))).toMatchObject({ kind: "refused", because: "nothing to do" });
  });

  it("for the approvals of people who have not made the change, each bound to its commit", async () => {
    const shop = await repositoryWith("approvals: { count: 1, users: [ada, mira, jonas] }");
    const first = await merge(shop, "autumn");
    const command = `/approve live ${first.sha.slice(0, 7)}`;
    await says(shop, "live", new RegExp(`^Waiting for approval by ada or mira or jonas: ${command}$`));
    const approve = (login: string, sha = first.sha.slice(0, 7)) => {
      const by = { id: login.length, login, teams: [] };
      return write((tx) => approveEnvironment(tx, { repository: shop.id, environment: "live", sha, by }));
    };
    expect(await approve("mira")).toMatchObject({ kind: "refused", because: "not allowed" });
    expect(await approve("jonas")).toMatchObject({ kind: "refused", because: "not allowed" });
    expect(await approve("grace")).toMatchObject({ sentence: "grace may not approve live; ada, mira, jonas may" });
    expect(await approve("ada", first.sha.slice(0, 6))).toMatchObject({ because: "unknown commit" });
    expect(await approve("ada", "0".repeat(40))).toMatchObject({ because: "unknown commit" });
    await calm(journey);
    expect(shop.deployments().at(-1)?.statuses.at(-1)?.state).toBe("queued");

    expect(await approve("ada")).toMatchObject({ kind: "approved", sha: first.sha });
    await deploymentBecomes(shop, "live", "success", first.sha);
    const second = await merge(shop, "winter");
    await says(shop, "live", new RegExp(`/approve live ${second.sha.slice(0, 7)}$`));
  });

  it("for the approval of somebody who has not pushed to the pull request, also where nothing is checked", async () => {
    const environment = "trigger: merge, target: directory, with: { path: live, from: site }, require_checks: none";
    const yaml = `environments: { live: { ${environment}, approvals: { count: 1 } } }\n`;
    const shop = await journey.repository({ [path]: yaml, "site/index.html": "first\n" });
    const files = { "site/index.html": "autumn\n" };
    await shop.commit({ branch: "autumn", from: "main", files, message: "Autumn", author: "mira" });
    const number = await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await shop.commit({ branch: "autumn", files: { more: "" }, message: "More", author: "vera" });
    const sha = await shop.merge(number, { by: "jonas" });
    await says(shop, "live", /^Waiting for approval/);
    await calm(journey);
    const approve = (login: string) => {
      const by = { id: login.length, login, teams: [] };
      return write((tx) => approveEnvironment(tx, { repository: shop.id, environment: "live", sha, by }));
    };
    for (const login of ["mira", "vera", "jonas"]) expect(await approve(login)).toMatchObject({ because: "not allowed" });
    expect(await approve("ada")).toMatchObject({ kind: "approved" });
  });

  it("for the statuses of others, the newest of each, wherever they come from", async () => {
    const shop = await repositoryWith('require_checks: [test, "codecov/patch"]');
    const { sha } = await merge(shop, "autumn");
    await says(shop, "live", /^Waiting for checks: codecov\/patch has not started$/);
    await post(journey, shop, `statuses/${sha}`, { context: "codecov/patch", state: "failure" });
    await says(shop, "live", /^Waiting for checks: codecov\/patch failed$/);
    await post(journey, shop, `statuses/${sha}`, { context: "signalbox/test", state: "failure" });
    await post(journey, shop, `statuses/${sha}`, { context: "Codecov/patch", state: "success" });
    await deploymentBecomes(shop, "live", "success", sha);
  });

  it("for what was said before anybody had asked, of a head with the same files, and asks GitHub for it once", async () => {
    const shop = await repositoryWith('require_checks: [test, "codecov/patch"]');
    const head = await shop.commit({ branch: "autumn", from: "main", files: { new: "" }, message: "New", author: "mira" });
    const number = await shop.openPullRequest({ title: "New", head: "autumn", author: "mira" });
    await statusBecomes(shop, head, "signalbox", "success");
    await calm(journey);
    journey.github.fault({ webhook: "drop", event: "status" });
    await post(journey, shop, `statuses/${head}`, { context: "codecov/patch", state: "success" });
    await journey.github.idle();
    const before = journey.github.requests.length;
    const sha = await shop.merge(number, { by: "jonas" });
    await deploymentBecomes(shop, "live", "success", sha);
    await calm(journey);
    const asked = journey.github.requests.slice(before).filter(({ path: at }) => /\/(status|check-runs)(\?|$)/.test(at));
    expect(asked.map(({ path: at }) => at.replace(/\?.*/, "").split("/").slice(-2).join(" "))).toEqual(
      expect.arrayContaining([`${head} status`, `${head} check-runs`, `${sha} status`, `${sha} check-runs`]),
    );
    expect(asked).toHaveLength(4);
  });

  it("for nothing when a maintainer breaks the glass, but the lock, and says so of the deployment that waited", async () => {
    const shop = await repositoryWith("approvals: { count: 2 }, freeze: [{ days: [sun, mon, tue, wed, thu, fri, sat] }]");
    const { sha } = await merge(shop, "autumn");
    await says(shop, "live", /^Waiting for the end of the freeze, which never ends, and for 2 approvals: /);
    const services = servicesBeside(journey);
    const order = {
      repository: await knownRepository(journey, shop),
      environment: "live",
      sha: sha.slice(0, 7),
      by: "jonas",
      cause: { kind: "deed" as const, id: 1 },
    };
    const record = async () => {};
    expect(await requestDeployment(services, order, record)).toMatchObject({
      because: "under way",
      sentence: `${sha.slice(0, 7)} is on its way to live already`,
    });
    expect(await requestDeployment(services, { ...order, environment: "lvie" }, record)).toMatchObject({
      because: "unknown environment",
    });
    expect(await requestDeployment(services, { ...order, sha: "abcdef1" }, record)).toMatchObject({ because: "unknown commit" });
    const side = await shop.commit({ branch: "side", from: "main", files: { side: "" }, message: "Side", author: "mira" });
    expect(await requestDeployment(services, { ...order, sha: side }, record)).toMatchObject({
      because: "not on the branch",
      sentence: `${side.slice(0, 7)} is not on main: merge it first`,
    });

    const written: number[] = [];
    const broken = await requestDeployment(
      services,
      { ...order, override: { reason: "the shop is down" } },
      async (tx, { run }) => {
        await tx.db.selectFrom("run").select("id").where("id", "=", run).executeTakeFirstOrThrow();
        written.push(run);
      },
    );
    expect(broken).toEqual({ kind: "started", run: written[0], sha });
    await deploymentBecomes(shop, "live", "success", sha);
    expect(shop.deployments()).toHaveLength(1);

    const again = await requestDeployment(services, { ...order, override: { reason: "once more" } }, record);
    expect(again).toMatchObject({ kind: "started", sha });
    await deploymentBecomes(shop, "live", "success", sha);
    await calm(journey);
    expect(shop.deployments().map(({ statuses }) => statuses.at(-1)?.state)).toEqual(["inactive", "success"]);
  });

  it("not at all for a commit whose paths are as they are live", async () => {
    const shop = await repositoryWith('paths: ["site/**"], require_checks: none', "push");
    const commit = (files: Record<string, string>) => shop.commit({ branch: "main", files, message: "Change", author: "mira" });
    const first = await commit({ "README.md": "one\n" });
    await deploymentBecomes(shop, "live", "success", first);
    await commit({ "README.md": "two\n" });
    await calm(journey);
    expect(shop.deployments()).toHaveLength(1);
    expect(journey.log.some(({ msg }) => msg === "not deployed: no file of its paths changed")).toBe(true);
    const third = await commit({ "site/index.html": "third\n" });
    await deploymentBecomes(shop, "live", "success", third);
    expect(await page(shop)).toBe("third\n");
  });
});
