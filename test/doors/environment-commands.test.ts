import { userInfo } from "node:os";
import { afterEach, describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import { openDatabase } from "../../src/database/connection.ts";
import { type Beside, beside } from "../../src/doors/command-line/beside-server.ts";
import { onEnvironment } from "../../src/doors/command-line/environment.ts";
import { commandOf, type EnvironmentCommand } from "../../src/doors/command-line/environment-words.ts";
import { whyInWords } from "../../src/doors/command-line/why.ts";
import { post, says } from "../journeys/deployment-house.ts";
import { engines } from "../support/engines.ts";
import { calm, deploymentBecomes, type Journey, settingsFor, useJourneys, useSharedJourney } from "../support/journey.ts";
import { signalbox } from "./command-line.ts";

const operator = userInfo().username;

/** A repository's files, whose environment `live` takes each push and has these keys too. */
const filesWith = (keys = "require_checks: none") => ({
  ".github/signalbox.yml": `environments: { live: { trigger: push, target: directory, with: { path: live, from: site }, ${keys} } }\n`,
  "site/index.html": "first\n",
});

/** Pushes a commit of mira's. */
function push(shop: Repository, text: string, file = "site/index.html"): Promise<string> {
  return shop.commit({ branch: "main", files: { [file]: `${text}\n` }, message: text, author: "mira" });
}

async function historyOf({ server }: Pick<Journey, "server">, shop: Repository) {
  return server.database.read((db) =>
    db.selectFrom("history").selectAll().where("repository", "=", shop.id).orderBy("id").execute(),
  );
}

const told = (history: Awaited<ReturnType<typeof historyOf>>) =>
  history.map(({ deed, person, door, reason }) => [deed, person, door, reason]);

describe.each(engines())("bin/signalbox beside a server on %s", (_name, storage) => {
  const journeys = useJourneys();

  it("locks, unlocks and rolls back, and the history knows who did", async () => {
    const { url } = await storage.place();
    const env = url === null ? {} : { DATABASE_URL: url };
    const journey = await journeys.start({ env });
    const permissions = { mira: "write", jonas: "maintain" } as const;
    const shop = await journey.github.repository({ owner: "acme", name: "shop", files: filesWith(), permissions });
    const type = (...words: string[]) => signalbox({ ...journey, env }, ...words);
    const first = await push(shop, "first-sale");
    await deploymentBecomes(shop, "live", "success", first);

    expect(await type("lock", shop.fullName, "live", "the", "database", "moves")).toEqual({
      code: 0,
      said: "live is locked: the database moves (a running server sees it within a few seconds)\n",
    });
    const second = await push(shop, "second-sale");
    await says(shop, "live", new RegExp(`^Waiting for the lock of ${operator} since .*: the database moves$`));
    expect(await type("unlock", shop.fullName, "live", "--as", "mira")).toMatchObject({ code: 0 });
    await deploymentBecomes(shop, "live", "success", second);
    expect(await type("rollback", shop.fullName, "live", "checkout", "is", "broken")).toMatchObject({
      code: 0,
      said: expect.stringContaining(`live goes back to ${first.slice(0, 7)} and is locked until somebody unlocks it`),
    });
    await deploymentBecomes(shop, "live", "success", first);

    expect(told(await historyOf(journey, shop))).toEqual([
      ["lock", operator, "command line", "the database moves"],
      ["unlock", "mira", "command line", null],
      ["roll back", operator, "command line", "checkout is broken"],
    ]);
  });
});

describe("a command for an environment", () => {
  const journey = useSharedJourney();
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  /** The server's data, opened beside it. */
  async function data(env: Readonly<Record<string, string>> = {}): Promise<Beside> {
    const settings = settingsFor(journey.github, { DATA_DIR: journey.folder, ...env });
    const database = await openDatabase({ url: null, folder: journey.folder });
    closers.push(() => database.close());
    return beside(settings, database);
  }

  type Name = EnvironmentCommand["kind"];
  const typing =
    (at: Beside, shop: Pick<Repository, "fullName">, as?: string) =>
    (name: Name, words: readonly string[] = [], override?: string) => {
      const { command, place } = commandOf(name, [shop.fullName, "live", ...words], override);
      return onEnvironment(at, command, { ...place, as });
    };

  it("deploys a commit of the branch once more, also one that is older, but none of another branch", async () => {
    const shop = await journey.repository(filesWith());
    const first = await push(shop, "autumn");
    await deploymentBecomes(shop, "live", "success", first);
    await deploymentBecomes(shop, "live", "success", await push(shop, "winter"));
    const type = typing(await data(), shop, "@mira");
    expect(await type("deploy", [first.slice(0, 8)])).toContain(`${first.slice(0, 7)} is on its way to live`);
    const { payload } = await deploymentBecomes(shop, "live", "success", first);
    expect(JSON.stringify(payload)).toContain("mira");
    const side = await shop.commit({ branch: "side", from: "main", files: { side: "" }, message: "Side", author: "mira" });
    await expect(type("deploy", [side])).rejects.toThrow(`${side.slice(0, 7)} is not on main: merge it first`);
    await expect(type("deploy", ["0123456"])).rejects.toThrow("there is no commit 0123456");
    expect(told(await historyOf(journey, shop))).toEqual([["deploy", "mira", "command line", null]]);
  });

  it("approves in the name of a person whom the rules let approve, and of nobody else", async () => {
    const shop = await journey.repository(filesWith("require_checks: none, approvals: { count: 1 }"));
    const sha = await push(shop, "autumn");
    await says(shop, "live", /^Waiting for approval/);
    const at = await data();
    const approve = (as?: string) => typing(at, shop, as)("approve", [sha.slice(0, 7)]);
    await expect(approve()).rejects.toThrow("an approval is a person's yes: say whose, with --as LOGIN");
    await expect(approve("mira")).rejects.toThrow("mira wrote, pushed, merged or asked for");
    await expect(approve("nobody-at-all")).rejects.toThrow("GitHub knows nobody called nobody-at-all");
    expect(await approve("jonas")).toContain("is approved for live");
    await deploymentBecomes(shop, "live", "success", sha);
    const [entry, ...more] = await historyOf(journey, shop);
    expect(more).toEqual([]);
    expect(JSON.parse(entry?.details ?? "")).toMatchObject({ role: "maintain", typed_by: operator, sha });
  });

  it("obeys a person no further than GitHub lets them, and breaks the glass for the operator", async () => {
    const shop = await journey.repository(filesWith("require_checks: none, approvals: { count: 2 }"));
    shop.permit("vera", "read");
    const sha = await push(shop, "autumn");
    await says(shop, "live", /^Waiting for 2 approvals/);
    const at = await data();
    const override = (as?: string) => typing(at, shop, as)("deploy", [], "checkout is down");
    await expect(override("vera")).rejects.toThrow("vera has no write permission");
    await expect(override("mira")).rejects.toThrow("mira is no maintainer");
    await override();
    await deploymentBecomes(shop, "live", "success", sha);
    expect(told(await historyOf(journey, shop))).toEqual([["break glass", operator, "command line", "checkout is down"]]);
  });

  it("cancels what is on its way", async () => {
    const shop = await journey.repository(filesWith("require_checks: none, approvals: { count: 1 }"));
    const sha = await push(shop, "autumn");
    await says(shop, "live", /^Waiting for approval/);
    const type = typing(await data(), shop);
    expect(await type("cancel", ["not", "today"])).toContain(`Cancelled: deploy of ${sha.slice(0, 7)} to live`);
    await says(shop, "live", new RegExp(`^Cancelled by ${operator}: not today$`));
    await expect(type("cancel")).rejects.toThrow("Nothing is on its way to live");
  });

  it("locks and rolls back while GitHub does not answer, but only what is known", async () => {
    const shop = await journey.repository(filesWith());
    const first = await push(shop, "autumn");
    await deploymentBecomes(shop, "live", "success", first);
    await deploymentBecomes(shop, "live", "success", await push(shop, "winter"));
    const at = await data({ GHE_HOST: "127.0.0.1:9" });
    const slip = onEnvironment(at, { kind: "lock", reason: "a slip" }, { ...shop, environment: "love", as: undefined });
    await expect(slip).rejects.toThrow('GitHub does not answer, and nothing was ever deployed to an environment "love"');
    const type = typing(at, shop);
    expect(await type("lock", ["careful"])).toContain("live is locked: careful");
    expect(await type("rollback", [first.slice(0, 7)])).toContain(`live goes back to ${first.slice(0, 7)}`);
    await deploymentBecomes(shop, "live", "success", first);
    await expect(type("deploy")).rejects.toThrow("GitHub did not answer");
    expect(await whyInWords(at, shop.fullName, "live", false)).toMatch(
      /^Which commits are newer than what is live cannot be told: GitHub did not answer/m,
    );
  });

  it("explains each commit that is not live, each gate, and what would open it", async () => {
    const shop = await journey.repository(filesWith('require_checks: [codecov/patch], paths: ["site/**"]'));
    const live = await push(shop, "autumn");
    await says(shop, "live", /codecov\/patch has not started/);
    await post(journey, shop, `statuses/${live}`, { context: "codecov/patch", state: "success" });
    await deploymentBecomes(shop, "live", "success", live);
    const superseded = await push(shop, "winter");
    await says(shop, "live", /codecov\/patch has not started/);
    const waiting = await push(shop, "spring");
    await calm(journey);
    const beyond = await push(shop, "Readme", "README");
    await calm(journey);

    const at = await data();
    const [newest, next, oldest] = [beyond, waiting, superseded].map((sha) => sha.slice(0, 7));
    const waits = "Waiting for checks: codecov/patch has not started";
    expect((await whyInWords(at, shop.fullName, "live", false)).split("\n")).toEqual([
      `live of ${shop.fullName}`,
      expect.stringMatching(new RegExp(`^Live: ${live.slice(0, 7)} autumn, since .* \\(UTC\\)$`)),
      "",
      "On its way, the newest first:",
      expect.stringMatching(new RegExp(`^  ${newest} Readme \\(deploy, wished for \\d+ s ago by mira\\)$`)),
      `    ${waits}`,
      expect.stringMatching(/^ {6}codecov\/patch: not reported in \d+ s; is it called so, and does anything report it\?$/),
      "      → Nobody has reported codecov/patch for this commit yet",
      "",
      "On main and not live, the newest first:",
      `  ${newest} Readme (mira): ${waits}`,
      `  ${next} spring (mira): Superseded by ${newest}`,
      expect.stringMatching(new RegExp(`^  ${oldest} winter \\(mira\\): Superseded by (${newest}|${next})$`)),
    ]);
    expect(JSON.parse(await whyInWords(at, shop.fullName, "live", true))).toMatchObject({
      live: { sha: live },
      lock: null,
      on_their_way: [{ sha: beyond, state: "waiting", gates: [{ kind: "checks", not_green: [{ context: "codecov/patch" }] }] }],
      not_live: [{ sha: beyond }, { sha: waiting }, { sha: superseded }],
      problem: null,
    });
    await expect(whyInWords(at, shop.fullName, "love", false)).rejects.toThrow('no environment "love"');

    const typed = await Promise.all(
      [["live", "--json"], ["love"], []].map((words) => signalbox(journey, "why", shop.fullName, ...words)),
    );
    expect(typed.map(({ code }) => code)).toEqual([0, 1, 2]);
    expect(JSON.parse(typed[0]?.said ?? "")).toMatchObject({ live: { sha: live }, problem: null });
  });
});

describe("the words of a command", () => {
  it.each<[EnvironmentCommand["kind"], string[], string | undefined, string]>([
    ["deploy", ["acme/shop"], undefined, "deploy needs OWNER/REPO and an ENVIRONMENT"],
    ["deploy", ["acme/shop", "live", "main"], undefined, '"main" is no SHA: write 7 to 40 of its digits'],
    ["deploy", ["acme/shop", "live", "4be07d1", "now"], undefined, '"now" is one word too many'],
    ["deploy", ["acme/shop", "live"], " ", "--override needs a reason"],
    ["lock", ["acme/shop", "live"], undefined, "lock needs a REASON"],
    ["unlock", ["acme/shop", "live", "now"], undefined, '"now" is one word too many'],
    ["approve", ["acme/shop", "live"], undefined, "approve needs the SHA that you have looked at"],
  ])("%s %j is answered with what is wrong", (name, words, override, said) => {
    expect(() => commandOf(name, words, override)).toThrow(said);
  });

  it("tell a commit to roll back to from a reason", () => {
    const read = (...words: string[]) => commandOf("rollback", ["acme/shop", "live", ...words], undefined).command;
    expect(read()).toEqual({ kind: "rollback", to: null, reason: null });
    expect(read("4BE07D1", "broken")).toEqual({ kind: "rollback", to: "4be07d1", reason: "broken" });
    expect(read("checkout", "is", "broken")).toEqual({ kind: "rollback", to: null, reason: "checkout is broken" });
  });

  it.each([
    [["rollback", "acme/shop", "live", "--override", "x"], 2, "--override"],
    [["why", "acme/shop"], 2, "why needs OWNER/REPO and an ENVIRONMENT"],
    [["deploy", "--help"], 0, "breaks the glass"],
  ])("are answered by the program: %j", async (words, code, said) => {
    const github = {
      app: { id: 1, slug: "", privateKey: "", webhookSecret: "", clientId: "", clientSecret: "" },
      host: "127.0.0.1:9",
    };
    expect(await signalbox({ github, folder: "/nowhere" }, ...words)).toMatchObject({
      code,
      said: expect.stringContaining(said),
    });
  });
});
