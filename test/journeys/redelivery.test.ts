import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import {
  calm,
  deliver,
  deploymentBecomes,
  handled,
  held,
  heldCommand,
  letGo,
  statusBecomes,
  useSharedJourney,
} from "../support/journey.ts";

describe("the same delivery again", () => {
  const journey = useSharedJourney();

  async function propose(repository: Repository) {
    const sha = await repository.commit({
      branch: "autumn",
      from: "main",
      files: { autumn: "" },
      message: "Autumn",
      author: "mira",
    });
    const number = await repository.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    return { sha, number };
  }

  function delivery(repository: Repository, event: string, action?: string) {
    const found = journey.github
      .deliveries()
      .find((one) => one.repository === repository.id && one.event === event && one.action === (action ?? one.action));
    if (found === undefined) throw new Error(`there is no ${event} ${action}`);
    return { guid: found.guid, payload: JSON.parse(found.request.payload) };
  }

  async function attempts(repository: Repository, sha: string): Promise<readonly number[]> {
    const rows = await journey.server.database.read((db) =>
      db.selectFrom("run").select("attempt").where("repository", "=", repository.id).where("sha", "=", sha).execute(),
    );
    return rows.map(({ attempt }) => attempt);
  }

  it("while its runs are running: nothing more happens", async () => {
    const shop = await journey.repository({ ".github/signalbox.yml": `checks: { test: { run: "${held}" } }` });
    const { sha } = await propose(shop);
    await heldCommand(journey.folder);
    await journey.github.redeliver(delivery(shop, "pull_request", "opened").guid);
    await handled(journey);
    await letGo(journey.folder);
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    expect(await attempts(shop, sha)).toEqual([1]);
  });

  it("after they finished runs the checks again as a new attempt", async () => {
    const shop = await journey.repository({ ".github/signalbox.yml": `checks: { test: { run: "true" } }` });
    const { sha } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    await journey.github.redeliver(delivery(shop, "pull_request", "opened").guid);
    await calm(journey);
    expect(await attempts(shop, sha)).toEqual([2]);
    await statusBecomes(shop, sha, "signalbox", "success");
    const states = shop.allStatuses(sha).filter(({ context }) => context === "signalbox/test");
    expect(states.filter(({ state }) => state === "success")).toHaveLength(2);
  });

  it("is what the page of a delivery asks GitHub for", async () => {
    const shop = await journey.repository({ ".github/signalbox.yml": `checks: { test: { run: "true" } }` });
    const { sha } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    const { guid } = delivery(shop, "pull_request", "opened");
    const receipts = () =>
      journey.server.database.read((db) => db.selectFrom("receipt").selectAll().where("guid", "=", guid).orderBy("id").execute());
    const [first] = await receipts();
    const page = `${journey.server.url}/${shop.fullName}/deliveries/${first?.id}`;
    const csrf = /name="csrf" value="([^"]+)"/.exec(await (await fetch(page)).text())?.[1] ?? "";
    const redeliver = async () => {
      const headers = { accept: "application/json", "sec-fetch-site": "same-origin" };
      const answer = await fetch(`${page}/redeliver`, { method: "POST", headers, body: new URLSearchParams({ csrf }) });
      return [answer.status, await answer.json()];
    };
    expect(await redeliver()).toEqual([
      200,
      { kind: "done", text: "GitHub delivers pull_request once more: it appears here when it arrives" },
    ]);
    await calm(journey);
    expect(await attempts(shop, sha)).toEqual([2]);
    expect((await receipts()).map(({ state }) => state)).toEqual(["handled", "handled"]);
    const history = await journey.server.database.read((db) =>
      db.selectFrom("history").select("deed").where("repository", "=", shop.id).execute(),
    );
    expect(history).toEqual([{ deed: "redeliver" }]);

    const unknown = { guid: "of-our-own-making", event: "push", repository: shop.id, received_at: Date.now() };
    await journey.server.database.write(({ db }) =>
      db
        .updateTable("receipt")
        .set(unknown)
        .where("id", "=", first?.id ?? 0)
        .execute(),
    );
    expect(await redeliver()).toEqual([
      409,
      { kind: "refused", text: "GitHub does not list this delivery any more, so it cannot deliver it again" },
    ]);
  });

  it("does not when the commit is not the head any more, however quickly it was replaced", async () => {
    const shop = await journey.repository({ ".github/signalbox.yml": `checks: { test: { run: "true" } }` });
    const { sha } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "success");
    const newer = await shop.commit({ branch: "autumn", files: { more: "" }, message: "More", author: "mira" });
    await statusBecomes(shop, newer, "signalbox", "success");
    await calm(journey);
    const { guid, payload } = delivery(shop, "pull_request", "opened");
    const { updated_at } = delivery(shop, "pull_request", "synchronize").payload.pull_request;
    await journey.github.redeliver(guid);
    await calm(journey);
    // GitHub's times are whole seconds, so a delivery of the same second looks as new.
    await deliver(journey, "pull_request", { ...payload, pull_request: { ...payload.pull_request, updated_at } }, guid);
    await calm(journey);
    expect(await attempts(shop, sha)).toEqual([1]);
    expect(await attempts(shop, newer)).toEqual([1]);
    await statusBecomes(shop, newer, "signalbox", "success");
  });

  it("sent twice at the same moment makes one run", async () => {
    const shop = await journey.repository({ ".github/signalbox.yml": `checks: { test: { run: "${held}" } }` });
    await calm(journey);
    journey.github.fault({ webhook: "duplicate", event: "pull_request" });
    const { sha } = await propose(shop);
    await handled(journey);
    await letGo(journey.folder);
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    expect(await attempts(shop, sha)).toEqual([1]);
  });

  it("of a merge deploys nothing a second time", async () => {
    const shop = await journey.repository({
      ".github/signalbox.yml": `
checks: { test: { run: "true" } }
environments: { staging: { trigger: merge, target: command, with: { run: 'echo x >> "$SIGNALBOX_SITES/times"' } } }
`,
    });
    const { sha, number } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "success");
    const merged = await shop.merge(number);
    await deploymentBecomes(shop, "staging", "success", merged);
    await calm(journey);
    await journey.github.redeliver(delivery(shop, "pull_request", "closed").guid);
    for (const { guid, event } of journey.github.deliveries().filter((one) => one.repository === shop.id)) {
      if (["push", "deployment", "deployment_status"].includes(event)) await journey.github.redeliver(guid);
    }
    await calm(journey);
    expect(shop.deployments()).toHaveLength(1);
    expect(await readFile(join(journey.folder, "sites", shop.fullName, "times"), "utf8")).toBe("x\n");
  });

  it("that comes late, about an older head, changes nothing", async () => {
    const shop = await journey.repository({ ".github/signalbox.yml": `checks: { test: { run: "true" } }` });
    const { sha } = await propose(shop);
    await statusBecomes(shop, sha, "signalbox", "success");
    const newer = await shop.commit({ branch: "autumn", files: { more: "" }, message: "More", author: "mira" });
    await statusBecomes(shop, newer, "signalbox", "success");
    await calm(journey);
    const statuses = [...shop.allStatuses(sha), ...shop.allStatuses(newer)];
    const { payload } = delivery(shop, "pull_request", "synchronize");
    const older = new Date(Date.parse(payload.pull_request.updated_at) - 5_000).toISOString();
    const head = { ...payload.pull_request.head, sha };
    await deliver(journey, "pull_request", { ...payload, pull_request: { ...payload.pull_request, updated_at: older, head } });
    await calm(journey);
    expect([...shop.allStatuses(sha), ...shop.allStatuses(newer)]).toEqual(statuses);
    expect(await attempts(shop, newer)).toEqual([1]);
  });
});
