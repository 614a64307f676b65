import { describe, expect, it } from "@jest/globals";
import type { Delivery } from "../../demo/github/deeds/webhooks.ts";
import { recoveryState } from "../../src/doors/webhooks/missed.ts";
import { calm, deploymentBecomes, handled, type Journey, statusBecomes, useJourneys } from "../support/journey.ts";
import { until } from "../support/until.ts";

const file = `
checks: { test: { run: "true" } }
environments: { staging: { trigger: manual, target: command, require_checks: none, with: { run: "true" } } }
`;

/** GitHub's clock and ours run on while nobody looks: what was sent is old enough to be missed. */
const aWhile = 2 * 60_000;

describe("webhooks that GitHub sent and that never arrived", () => {
  const journeys = useJourneys();

  async function open() {
    const journey = await journeys.start();
    const shop = await journey.github.repository({
      owner: "acme",
      name: "shop",
      files: { ".github/signalbox.yml": file },
      permissions: { mira: "write" },
    });
    await calm(journey);
    return { journey, shop };
  }

  const redelivered = (journey: Journey) => journey.github.deliveries().filter(({ redelivery }) => redelivery);
  const state = ({ server }: Journey) => server.database.read(recoveryState);
  const said = (journey: Journey, message: string) => journey.log.filter(({ msg }) => msg === message);

  it("although GitHub says they did are delivered again after the next start, each once, and nothing that arrived is", async () => {
    const { journey, shop } = await open();
    journey.github.fault({ webhook: "drop", event: "pull_request" });
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await calm(journey);
    expect(shop.statuses(sha)).toEqual([]);
    const lost = journey.github.deliveries().find(({ event }) => event === "pull_request") as Delivery;
    expect(lost).toMatchObject({ status: "OK", statusCode: 200 });

    journey.github.advance(aWhile);
    await journey.restart();
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    await journey.restart();
    await calm(journey);
    expect(redelivered(journey).map(({ guid }) => guid)).toEqual([lost.guid]);
    expect(await state(journey)).toMatchObject({ found: 1, arrived: 1, refused: 0, problem: null });
    expect(said(journey, "asked GitHub for a webhook that never arrived")).toMatchObject([{ delivery: lost.guid }]);
  });

  it("are left alone while they may still be on their way", async () => {
    const { journey, shop } = await open();
    journey.github.fault({ webhook: "drop", event: "push" });
    await shop.commit({ branch: "main", files: { a: "" }, message: "A", author: "mira" });
    await journey.restart();
    await calm(journey);
    expect(redelivered(journey)).toEqual([]);
    expect(await state(journey)).toMatchObject({ found: 0 });
  });

  it("are found on every page of GitHub's list, and asked for in the order in which they happened", async () => {
    const { journey, shop } = await open();
    await journey.stop();
    for (let n = 0; n < 3; n += 1) {
      await shop.commit({ branch: "main", files: { [`${n}`]: "" }, message: "A", author: "mira" });
      // Those of one moment have no order.
      await journey.github.idle();
      journey.github.advance(1_000);
      for (let ping = 0; ping < 50; ping += 1) journey.github.ping();
      await journey.github.idle();
    }
    const [lost] = journey.github.deliveries().filter(({ statusCode }) => statusCode === 0);
    journey.github.advance(aWhile);
    await journey.restart();
    const { database } = journey.server;
    await until("all were found", async () => (await database.read(recoveryState)).found >= 153);
    const first = await until("the first is asked for", () => redelivered(journey)[0]);
    expect(first.guid).toBe(lost?.guid);
  });

  it("and that GitHub will not deliver again are given up with one line", async () => {
    const { journey, shop } = await open();
    journey.github.fault({ webhook: "drop", event: "push" });
    await shop.commit({ branch: "main", files: { a: "" }, message: "A", author: "mira" });
    await journey.github.idle();
    journey.github.advance(aWhile);
    journey.github.fault({ method: "POST", path: /attempts$/, answer: { status: 404 } });
    await journey.restart();
    await handled(journey);
    await journey.restart();
    await calm(journey);
    expect(redelivered(journey)).toEqual([]);
    expect(await state(journey)).toMatchObject({ found: 1, arrived: 0, refused: 1 });
    expect(said(journey, "GitHub does not deliver a webhook again that never arrived")).toHaveLength(1);
  });

  it("while GitHub is down are looked for later, which is said once and shown", async () => {
    const { journey, shop } = await open();
    journey.github.fault({ webhook: "drop", event: "push" });
    await shop.commit({ branch: "main", files: { a: "" }, message: "A", author: "mira" });
    await journey.github.idle();
    journey.github.advance(aWhile);
    journey.github.fault({ path: /^\/app\/hook\/deliveries/, answer: { status: 502 } });
    await journey.restart();
    await handled(journey);
    expect((await state(journey)).problem).toContain("with 502");
    expect(said(journey, "could not compare what GitHub delivered; trying again")).toHaveLength(1);
    await journey.restart();
    await until("it was delivered again", () => redelivered(journey)[0]);
    await handled(journey);
    expect((await state(journey)).problem).toBeNull();
  });
});

describe("what GitHub shows and no webhook told", () => {
  const journeys = useJourneys();

  it("is found after a start: the head of an open pull request, and a person's deployment that nobody took up, each once", async () => {
    const journey = await journeys.start();
    const shop = await journey.github.repository({
      owner: "acme",
      name: "shop",
      files: { ".github/signalbox.yml": file },
      permissions: { mira: "write" },
    });
    await shop.commit({ branch: "main", files: { a: "" }, message: "A", author: "mira" });
    await calm(journey);
    await journey.stop();
    // Never even sent: an App whose webhook was switched off for a while.
    journey.github.webhooksTo(null);
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await shop.createDeployment({ by: "mira", ref: "main", environment: "staging" });
    await journey.restart();
    await statusBecomes(shop, sha, "signalbox", "success");
    await deploymentBecomes(shop, "staging", "success");
    await calm(journey);
    const receipts = () =>
      journey.server.database.read((db) => db.selectFrom("receipt").select("guid").where("guid", "like", "found-%").execute());
    expect(await receipts()).toHaveLength(2);
    await journey.restart();
    await calm(journey);
    expect(await receipts()).toHaveLength(2);
    expect(shop.deployments()).toHaveLength(1);
  });
});
