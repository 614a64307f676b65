import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type Dashboard, useDashboards } from "./dashboard.ts";
import { aScene } from "./scene.ts";

const innocent = "Round half up";

/** What people choose to break pages with, and whatever else there is. */
const hostile = fc.oneof(
  fc.constantFrom(
    `<script>alert(1)</script>`,
    `"><img src=x onerror=alert(1)>`,
    `' onmouseover='alert(1)`,
    `</title></textarea></template><svg/onload=alert(1)>`,
    `javascript:alert(1)`,
    `&lt;b&gt;<!--`,
    `\u202e<b>right to left</b>\u2028`,
    `\${1}{{1}}`,
  ),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 60 }),
);

describe("whatever is written in titles, names, reasons, branches and logs", () => {
  const open = useDashboards();

  it("changes the text of a page and nothing else of it", async () => {
    const dashboard = await open();
    const { run, delivery } = await aScene(dashboard, innocent);
    const paths = [
      "/",
      "/acme/shop",
      "/acme/shop/environments/staging",
      "/acme/shop/pulls/12",
      "/acme/shop/runs",
      `/acme/shop/runs/${run}`,
      "/acme/shop/deliveries",
      `/acme/shop/deliveries/${delivery}`,
    ];
    const skeletons = async () => Promise.all(paths.map((path) => skeletonOf(dashboard, path)));
    const before = await skeletons();
    await fc.assert(
      fc.asyncProperty(hostile, async (words) => {
        await rewrite(dashboard, words.replaceAll("\0", ""));
        expect(await skeletons()).toEqual(before);
      }),
      { numRuns: 25 },
    );
  });
});

/** Puts the words wherever somebody else than we may write something. */
async function rewrite({ database, github }: Dashboard, words: string): Promise<void> {
  github.commits.shop = (github.commits.shop ?? []).map((commit) => ({ ...commit, title: words, author: words }));
  await database.write(async ({ db }) => {
    await db.updateTable("run").set({ title: words, author: words, person: words, ref: words }).execute();
    await db
      .updateTable("run")
      .set({ outcome: JSON.stringify({ kind: "failed", what: words }) })
      .where("outcome", "like", '{"kind":"failed"%')
      .execute();
    await db
      .updateTable("run")
      .set({ gates: JSON.stringify([{ kind: "lock", by: words, reason: words, since: new Date(0) }]) })
      .where("state", "=", "waiting")
      .execute();
    await db.updateTable("step").set({ name: words }).execute();
    await db.updateTable("history").set({ reason: words, person: words, deed: words }).execute();
    await db.updateTable("environment_lock").set({ reason: words, person: words }).execute();
    await db.updateTable("pull_request_head").set({ title: words, author: words, base_ref: words }).execute();
    await db
      .updateTable("receipt")
      .set({ action: words, guid: words, body: JSON.stringify({ words }) })
      .execute();
  });
}

/** Its elements and their attributes, without what these say. */
async function skeletonOf({ url }: Dashboard, path: string): Promise<readonly string[]> {
  const answer = await fetch(`${url}${path}`);
  expect([path, answer.status]).toEqual([path, 200]);
  const tags = (await answer.text()).match(/<[^>]*>/g) ?? [];
  return tags.map((tag) => tag.replace(/"[^"]*"/g, '""'));
}
