import { describe, expect, it } from "@jest/globals";
import { signalbox } from "../doors/command-line.ts";
import { calm, sandbox, statusBecomes, useSharedJourney } from "../support/journey.ts";

describe("bin/signalbox beside a running server", () => {
  const journey = useSharedJourney();

  const type = (...words: string[]) => signalbox(journey, ...words);

  it("retries and cancels what a pull request has, and the history knows the operator", async () => {
    const shop = await journey.repository({ ".github/signalbox.yml": `checks: { test: { run: "false" } }` });
    const sha = await shop.commit({ branch: "autumn", files: { autumn: "" }, message: "Autumn", author: "mira" });
    const number = await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await statusBecomes(shop, sha, "signalbox", "failure");
    await calm(journey);

    expect(await type("retry", shop.fullName, String(number))).toMatchObject({
      code: 0,
      said: expect.stringContaining(`Queued once more for ${sha.slice(0, 7)}: test`),
    });
    await calm(journey);
    const history = await journey.server.database.read((db) =>
      db.selectFrom("history").selectAll().where("repository", "=", shop.id).execute(),
    );
    expect(history).toMatchObject([{ deed: "retry", door: "command line" }]);
    expect(await type("cancel", shop.fullName, String(number))).toMatchObject({
      code: 1,
      said: expect.stringContaining("Nothing of this pull request is under way"),
    });
  });

  it("approves a fork's commit", async () => {
    const shop = await journey.repository({ ".github/signalbox.yml": `checks: { test: { run: "true" } }` });
    const fork = await shop.fork("octocat");
    const sha = await fork.commit({ branch: "autumn", files: { autumn: "" }, message: "Autumn", author: "octocat" });
    const number = await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "octocat", fork: "octocat" });
    await statusBecomes(shop, sha, "signalbox", "pending");
    expect(await type("approve", shop.fullName, String(number), "0123456")).toMatchObject({
      code: 1,
      said: expect.stringContaining(`/approve ${sha.slice(0, 7)}`),
    });
    if ((await sandbox) !== "bubblewrap") return;
    expect(await type("approve", shop.fullName, `#${number}`, sha.slice(0, 7))).toMatchObject({ code: 0 });
    await statusBecomes(shop, sha, "signalbox", "success");
  });

  it.each([
    [["approve", "acme/shop", "1"], 2, "needs the SHA"],
    [["retry", "acme/shop"], 2, "needs OWNER/REPO and the number of a pull request"],
    [["retry", "acme/shop", "first"], 2, "needs OWNER/REPO and the number of a pull request"],
    [["retry", "acme/nowhere", "1"], 1, "acme/nowhere is not known yet"],
  ])("says what is wrong with %j", async (words, code, said) => {
    expect(await type(...words)).toMatchObject({ code, said: expect.stringContaining(said) });
  });
});
