import { zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { keepReading } from "../../../src/runs/readings.ts";
import { type Dashboard, useDashboards } from "./dashboard.ts";
import { aScene } from "./scene.ts";

const innocent = "Round half up";
const sha = "4be07d1".padEnd(40, "0");
const edited = "ed17ed0".padEnd(40, "0");

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
      `/-/config/acme/shop/${sha}`,
      `/-/config/acme/shop/${edited}`,
      "/acme/shop/nothing/here",
    ];
    const skeletons = async (words: string) => Promise.all(paths.map((path) => skeletonOf(dashboard, path, words)));
    await rewrite(dashboard, innocent);
    const before = await skeletons(innocent);
    await fc.assert(
      fc.asyncProperty(hostile, async (words) => {
        await rewrite(dashboard, words.replaceAll("\0", ""));
        expect(await skeletons(words)).toEqual(before);
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
      .set({
        gates: JSON.stringify([
          { kind: "lock", by: words, reason: words, since: new Date(0) },
          { kind: "checks", notGreen: [{ context: words, state: "failed" }] },
          { kind: "freeze", until: new Date(0), timezone: "UTC", reason: words },
          { kind: "approval", needed: 2, by: [words] },
        ]),
      })
      .where("state", "=", "waiting")
      .execute();
    await db.updateTable("step").set({ name: words }).execute();
    await db.updateTable("history").set({ reason: words, person: words, deed: words }).execute();
    await db.updateTable("environment_lock").set({ reason: words, person: words }).execute();
    await db
      .updateTable("pull_request_head")
      .set({ title: words, author: words, base_ref: branchOf(words) })
      .execute();
    await db
      .updateTable("receipt")
      .set({ action: words, guid: words, error: words, body: JSON.stringify({ words }) })
      .execute();
    // As a program prints it: a line has no ends in it, and what begins with an escape is a colour.
    const line = words.replace(/[\n\r\x1b\x80-\x9f]/g, "");
    await db
      .updateTable("log_chunk")
      .set({ bytes: zstdCompressSync(Array.from({ length: 5 }, () => line).join("\n")) })
      .execute();
  });
  const mistakes = [{ path: words || innocent, problem: words, line: 3 }];
  await database.write(async (tx) => {
    await keepReading(tx, 1, sha, { kind: "mistakes", mistakes });
    await keepReading(tx, 1, edited, { kind: "fine", edit: { kind: "changes", sentences: [words] } });
  });
}

/** Names that git refuses would be read as parts of an address: https://git-scm.com/docs/git-check-ref-format */
function branchOf(words: string): string {
  return /^\.{0,2}$/.test(words) ? innocent : words;
}

/** Its elements and their attributes, without what these say. What became of a deed repeats what somebody typed, so it is said too. */
async function skeletonOf({ url }: Dashboard, path: string, words: string): Promise<readonly string[]> {
  const said = encodeURIComponent(JSON.stringify({ kind: "refused", text: words }));
  const answer = await fetch(`${url}${path}`, { headers: { cookie: `signalbox-said=${said}` } });
  expect([path, answer.status]).toEqual([path, path.includes("nothing") ? 404 : 200]);
  const tags = (await answer.text()).match(/<[^>]*>/g) ?? [];
  return tags.map((tag) => tag.replace(/"[^"]*"/g, '""'));
}
