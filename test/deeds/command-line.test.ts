import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { calm, environmentFor, sandbox, statusBecomes, useSharedJourney } from "../support/journey.ts";

describe("bin/signalbox beside a running server", () => {
  const journey = useSharedJourney();

  /** Runs a command with the server's settings. */
  async function signalbox(...words: string[]): Promise<{ code: number; said: string }> {
    const env = {
      ...environmentFor(journey.github, { DATA_DIR: journey.folder, SANDBOX: await sandbox }),
      PATH: process.env.PATH ?? "",
      NODE_OPTIONS: "--disable-warning=ExperimentalWarning",
    };
    const cli = join(import.meta.dirname, "..", "..", "src", "doors", "cli.ts");
    return new Promise((resolve) => {
      execFile(process.execPath, [cli, ...words], { env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), said: stdout + stderr }),
      );
    });
  }

  it("retries and cancels what a pull request has, and the history knows the operator", async () => {
    const shop = await journey.repository({ ".github/signalbox.yml": `checks: { test: { run: "false" } }` });
    const sha = await shop.commit({ branch: "autumn", files: { autumn: "" }, message: "Autumn", author: "mira" });
    const number = await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await statusBecomes(shop, sha, "signalbox", "failure");
    await calm(journey);

    expect(await signalbox("retry", shop.fullName, String(number))).toMatchObject({
      code: 0,
      said: expect.stringContaining(`Queued once more for ${sha.slice(0, 7)}: test`),
    });
    await calm(journey);
    const history = await journey.server.database.read((db) =>
      db.selectFrom("history").selectAll().where("repository", "=", shop.id).execute(),
    );
    expect(history).toMatchObject([{ deed: "retry", door: "command line" }]);
    expect(await signalbox("cancel", shop.fullName, String(number))).toMatchObject({
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
    expect(await signalbox("approve", shop.fullName, String(number), "0123456")).toMatchObject({
      code: 1,
      said: expect.stringContaining(`/approve ${sha.slice(0, 7)}`),
    });
    if ((await sandbox) !== "bubblewrap") return;
    expect(await signalbox("approve", shop.fullName, `#${number}`, sha.slice(0, 7))).toMatchObject({ code: 0 });
    await statusBecomes(shop, sha, "signalbox", "success");
  });

  it.each([
    [["approve", "acme/shop", "1"], 2, "needs the SHA"],
    [["retry", "acme/shop"], 2, "needs OWNER/REPO and the number of a pull request"],
    [["cancel", "acme/shop", "first"], 2, "needs OWNER/REPO and the number of a pull request"],
    [["retry", "acme/nowhere", "1"], 1, "acme/nowhere is not known yet"],
  ])("says what is wrong with %j", async (words, code, said) => {
    expect(await signalbox(...words)).toMatchObject({ code, said: expect.stringContaining(said) });
  });
});
