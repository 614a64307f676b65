import { readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import { unlockEnvironment } from "../../src/deployments/locks.ts";
import { rollBack } from "../../src/deployments/rollback.ts";
import { cancel } from "../../src/runs/queue.ts";
import { unfinishedDeployments } from "../../src/runs/read.ts";
import { calm, deploymentBecomes, useSharedJourney } from "../support/journey.ts";
import { until } from "../support/until.ts";
import { knownRepository, says, servicesBeside } from "./deployment-house.ts";

const path = ".github/signalbox.yml";

describe("a deployment that is live", () => {
  const journey = useSharedJourney({ env: { OUTBOUND_ALLOW: "127.0.0.1" } });
  let sites: Server;
  let address = "";

  // The web server of all sites: it serves what `current` points at.
  beforeAll(async () => {
    sites = createServer((request, response) => {
      readFile(join(journey.folder, "sites", ...(request.url ?? "").split("/"))).then(
        (content) => response.end(content),
        () => response.writeHead(404).end("nothing here"),
      );
    });
    await new Promise<void>((resolve) => sites.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(sites.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => sites.close(resolve)));

  /** A repository that is deployed with each push, and asked whether it shows this. */
  function repositoryWith(expected: string, keys = "", within = "2s"): Promise<Repository> {
    const health = `{ url: "${address}/{{ repository.owner }}/{{ repository.name }}/live/current/index.html", within: ${within}, expect: "${expected}" }`;
    const environment = `trigger: push, target: directory, with: { path: live, from: site }, require_checks: none, health: ${health}`;
    return journey.repository({
      [path]: `environments: { live: { ${environment}${keys} } }\n`,
      "site/index.html": "nothing yet\n",
    });
  }

  function push(shop: Repository, text: string): Promise<string> {
    return shop.commit({ branch: "main", files: { "site/index.html": `${text}\n` }, message: text, author: "mira" });
  }

  async function page(shop: Repository): Promise<string> {
    return readFile(join(journey.folder, "sites", shop.fullName, "live", "current", "index.html"), "utf8");
  }

  const states = (shop: Repository) => shop.deployments().map(({ task, statuses }) => [task, statuses.at(-1)?.state]);

  it("is asked whether it is healthy, and fails when it is not", async () => {
    const shop = await repositoryWith("Welcome");
    const good = await push(shop, "Welcome");
    await deploymentBecomes(shop, "live", "success", good);
    const bad = await push(shop, "Oops");
    const failed = await deploymentBecomes(shop, "live", "failure", bad);
    const url = `${address}/${shop.fullName}/live/current/index.html`;
    expect(failed.statuses.at(-1)?.description).toContain(`Failed: the health check at ${url}`.slice(0, 100));
    await calm(journey);
    // Nobody said that it should be put back.
    expect(await page(shop)).toBe("Oops\n");
    expect(states(shop)).toEqual([
      ["deploy", "success"],
      ["deploy", "failure"],
    ]);
  });

  it("is put back when the next one is not well, once, and the environment is locked until somebody unlocks it", async () => {
    const shop = await repositoryWith("Welcome", ", rollback: automatic");
    const first = await push(shop, "Welcome to the first");
    await deploymentBecomes(shop, "live", "success", first);
    const bad = await push(shop, "Oops");
    await deploymentBecomes(shop, "live", "failure", bad);
    const back = await until("the first is put back", () =>
      shop.deployments().find(({ task, statuses }) => task === "rollback" && statuses.at(-1)?.state === "success"),
    );
    expect(back.sha).toBe(first);
    expect(back.description).toMatch(
      new RegExp(`^Roll live back to ${first.slice(0, 7)}: ${bad.slice(0, 7)} failed: the health check`),
    );
    expect(await page(shop)).toBe("Welcome to the first\n");
    await calm(journey);
    expect(states(shop)).toEqual([
      ["deploy", "inactive"],
      ["deploy", "failure"],
      ["rollback", "success"],
    ]);

    const next = await push(shop, "Welcome to the next");
    await says(shop, "live", /^Waiting for the lock of Signalbox since .*: rolled back to/);
    const history = await journey.server.database.read((db) =>
      db.selectFrom("history").select(["deed", "door", "person"]).where("repository", "=", shop.id).execute(),
    );
    expect(history).toMatchObject([{ deed: "rollback", door: "server", person: "Signalbox" }]);
    await journey.server.database.write((tx) => unlockEnvironment(tx, { repository: shop.id, environment: "live" }));
    await deploymentBecomes(shop, "live", "success", next);
    expect(await page(shop)).toBe("Welcome to the next\n");
  });

  it("is nothing that could be put back when it is the first", async () => {
    const shop = await repositoryWith("Welcome", ", rollback: automatic");
    const bad = await push(shop, "Oops");
    await deploymentBecomes(shop, "live", "failure", bad);
    await calm(journey);
    expect(states(shop)).toEqual([["deploy", "failure"]]);
    const good = await push(shop, "Welcome");
    await deploymentBecomes(shop, "live", "success", good);
  });

  it("stays when the next one fails before the switch", async () => {
    const shop = await repositoryWith("Welcome", ', rollback: automatic, build: "! test -e broken"');
    const good = await push(shop, "Welcome");
    await deploymentBecomes(shop, "live", "success", good);
    const bad = await shop.commit({ branch: "main", files: { broken: "" }, message: "Broken", author: "mira" });
    await deploymentBecomes(shop, "live", "failure", bad);
    await calm(journey);
    expect(states(shop)).toEqual([
      ["deploy", "success"],
      ["deploy", "failure"],
    ]);
    expect(await page(shop)).toBe("Welcome\n");
  });

  it("is what comes back by hand when the next one is cancelled while it is asked for its health", async () => {
    const shop = await repositoryWith("Welcome", "", "10m");
    const good = await push(shop, "Welcome");
    await deploymentBecomes(shop, "live", "success", good);
    const bad = await push(shop, "Oops");
    await until("it is live and not well", async () => (await page(shop)) === "Oops\n");
    await journey.server.database.write(async (tx) => {
      const [run] = await unfinishedDeployments(tx.db, { repository: shop.id });
      await cancel(tx, run?.id ?? 0, { kind: "by hand", by: "mira" });
    });
    const cancelled = await deploymentBecomes(shop, "live", "error", bad);
    expect(cancelled.statuses.at(-1)?.description).toBe("Cancelled by mira. It was under way: look what is live");

    const repository = await knownRepository(journey, shop);
    const order = { repository, environment: "live", by: "mira", reason: "odd", cause: { kind: "deed" as const, id: 1 } };
    expect(await rollBack(servicesBeside(journey), order, async () => {})).toMatchObject({ kind: "started", sha: good });
    await until("it is live again", async () => (await page(shop)) === "Welcome\n");
  });

  it("is put back by hand, one release further with each time, by way of a commit where its release is gone", async () => {
    const shop = await repositoryWith("Welcome");
    const shas: string[] = [];
    for (const text of ["Welcome one", "Welcome two", "Welcome three"]) {
      const sha = await push(shop, text);
      await deploymentBecomes(shop, "live", "success", sha);
      shas.push(sha);
    }
    const [one = "", two = "", three = ""] = shas;
    const services = servicesBeside(journey);
    const order = {
      repository: await knownRepository(journey, shop),
      environment: "live",
      by: "jonas",
      reason: "the cart is empty",
      cause: { kind: "deed" as const, id: 1 },
    };
    const record = async () => {};
    const refusals = [
      { ...order, environment: "lvie" },
      { ...order, to: three.slice(0, 7) },
      { ...order, to: "abcdef1" },
      { ...order, to: "abc" },
    ];
    expect(await Promise.all(refusals.map((refused) => rollBack(services, refused, record)))).toMatchObject([
      { because: "unknown environment" },
      { because: "nothing to do", sentence: `${three.slice(0, 7)} is live on live already` },
      { because: "unknown commit", sentence: "abcdef1 was never live on live" },
      { because: "unknown commit" },
    ]);

    expect(await rollBack(services, order, record)).toMatchObject({ kind: "started", sha: two });
    const back = await until("the second is put back", () =>
      shop.deployments().find(({ task, statuses }) => task === "rollback" && statuses.at(-1)?.state === "success"),
    );
    expect(back).toMatchObject({ sha: two, description: `Roll live back to ${two.slice(0, 7)}: the cart is empty` });
    expect(await page(shop)).toBe("Welcome two\n");

    expect(await rollBack(services, order, record)).toMatchObject({ kind: "started", sha: one });
    await until("the first is live again", async () => (await page(shop)) === "Welcome one\n");
    await calm(journey);
    expect(await rollBack(services, order, record)).toMatchObject({ because: "nothing to do" });

    const releases = join(journey.folder, "sites", shop.fullName, "live", "releases");
    const gone = (await readdir(releases)).filter((name) => name.includes(three.slice(0, 7)));
    expect(gone).toHaveLength(1);
    for (const name of gone) await rm(join(releases, name), { recursive: true });
    expect(await rollBack(services, { ...order, to: three }, record)).toMatchObject({ kind: "started", sha: three });
    await until("the third is live again", async () => (await page(shop)) === "Welcome three\n");
    await calm(journey);
    expect(states(shop).filter(([, state]) => state === "success")).toEqual([["rollback", "success"]]);
  });
});
