import { describe, expect, it } from "@jest/globals";
import { rememberRepository } from "../../../src/github/repository.ts";
import { Browser } from "./browser.ts";
import { type Dashboard, useDashboards } from "./dashboard.ts";
import { aCheck } from "./runs.ts";

/** What an answer comes to. */
type Verdict = "shown" | "sign in" | "told to sign in" | "nothing here" | "forged" | "may not write" | "done or refused";

interface Row {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly stranger: Verdict;
  readonly nobody: Verdict;
  readonly reader: Verdict;
  readonly writer: Verdict;
}

const sha = "4be07d1".padEnd(40, "0");
const page = { method: "GET", stranger: "sign in", nobody: "nothing here", reader: "shown", writer: "shown" } as const;
const script = { ...page, stranger: "told to sign in" } as const;
const form = {
  method: "POST",
  stranger: "sign in",
  nobody: "nothing here",
  reader: "may not write",
  writer: "done or refused",
} as const;

/** Every address of a repository. RUN and DELIVERY are its own. */
const table: readonly Row[] = [
  { ...page, path: "/acme/shop" },
  { ...page, path: "/acme/shop/environments/staging" },
  { ...page, path: "/acme/shop/pulls/12" },
  { ...page, path: "/acme/shop/runs" },
  { ...page, path: "/acme/shop/runs?name=test&state=passed" },
  { ...page, path: "/acme/shop/runs/RUN" },
  { ...page, path: "/acme/shop/runs/RUN/log.txt" },
  { ...script, path: "/acme/shop/runs/RUN/log" },
  { ...script, path: "/acme/shop/runs/RUN/search?q=a" },
  { ...script, path: "/acme/shop/runs/RUN/live" },
  { ...page, path: "/acme/shop/deliveries" },
  { ...page, path: "/acme/shop/deliveries/DELIVERY" },
  { ...page, path: `/-/config/acme/shop/${sha}` },
  { ...form, path: "/acme/shop/runs/RUN/cancel" },
  { ...form, path: "/acme/shop/runs/RUN/again" },
  { ...form, path: "/acme/shop/runs/RUN/approve" },
  { ...form, path: "/acme/shop/environments/staging/deploy" },
  { ...form, path: "/acme/shop/environments/staging/promote" },
  { ...form, path: "/acme/shop/environments/staging/rollback" },
  { ...form, path: "/acme/shop/environments/staging/lock" },
  { ...form, path: "/acme/shop/environments/staging/unlock" },
  { ...form, path: "/acme/shop/deliveries/DELIVERY/again" },
  { ...form, path: "/acme/shop/deliveries/DELIVERY/redeliver" },
];

const file = "environments: { staging: { target: directory, with: { path: staging } } }";

describe("every address, and who may see and do what", () => {
  const open = useDashboards();

  async function world(
    choice = {},
  ): Promise<{ dashboard: Dashboard; own: (path: string) => string; others: (path: string) => string }> {
    const dashboard = await open({ auth: "github", ...choice });
    dashboard.github.files.shop = { ".github/signalbox.yml": file };
    const run = await aCheck(dashboard.database);
    await run.start();
    await run.print("a line");
    await run.end({ kind: "passed" });
    const hidden = await aCheck(dashboard.database, { repository: 2 });
    const [delivery, hiddenDelivery] = await dashboard.database.write(async ({ db, now }) => {
      await db
        .insertInto("pull_request_head")
        .values({
          ...{
            repository: 1,
            number: 12,
            head_sha: sha,
            base_ref: "main",
            fork: 0,
            state: "open",
            title: "Round",
            author: "mira",
          },
          ...{ updated_at: now, heard_at: now },
        })
        .execute();
      const ids = [];
      for (const repository of [1, 2]) {
        const row = { guid: `${repository}`, event: "push", repository, body: "{}", received_at: now, state: "handled" as const };
        ids.push((await db.insertInto("receipt").values(row).returning("id").executeTakeFirstOrThrow()).id);
      }
      return ids;
    });
    const fill = (path: string, of: number, receipt: number | undefined) =>
      path.replace("RUN", String(of)).replace("DELIVERY", String(receipt));
    return {
      dashboard,
      own: (path) => fill(path, run.id, delivery),
      others: (path) => fill(path, hidden.id, hiddenDelivery),
    };
  }

  async function visitor(dashboard: Dashboard, permission: "none" | "read" | "write" | "maintain" | "admin"): Promise<Browser> {
    dashboard.github.rights.shop = permission === "none" ? {} : { mira: permission };
    const browser = new Browser(dashboard.url);
    await browser.open("/login?to=/-/logout");
    return browser;
  }

  async function ask(dashboard: Dashboard, browser: Browser, { method, path }: Pick<Row, "method" | "path">): Promise<Verdict> {
    if (method === "GET") return verdictOf(await browser.get(path));
    return verdictOf(
      await browser.post(path, { csrf: await tokenOf(dashboard), reason: "because" }, { "sec-fetch-site": "same-origin" }),
    );
  }

  it.each(table)("$method $path", async (row) => {
    const { dashboard, own } = await world();
    const at = { ...row, path: own(row.path) };
    expect(await ask(dashboard, new Browser(dashboard.url), at)).toBe(row.stranger);
    for (const [permission, wanted] of [
      ["none", row.nobody],
      ["read", row.reader],
      ["write", row.writer],
      ["maintain", row.writer],
      ["admin", row.writer],
    ] as const) {
      dashboard.advance(10 * 60_000);
      expect([permission, await ask(dashboard, await visitor(dashboard, permission), at)]).toEqual([permission, wanted]);
    }
  });

  it.each(table.filter(({ path }) => /RUN|DELIVERY/.test(path)))(
    "$method $path with the number of another repository's",
    async (row) => {
      const { dashboard, others } = await world();
      const writer = await visitor(dashboard, "admin");
      const at = { ...row, path: others(row.path) };
      expect(["nothing here", "done or refused"]).toContain(await ask(dashboard, writer, at));
      const changed = await dashboard.database.read((db) => db.selectFrom("history").select("id").execute());
      expect(changed).toEqual([]);
    },
  );

  it.each(table.filter(({ method }) => method === "POST"))("$path does nothing for a form that is not ours", async ({ path }) => {
    const { dashboard, own } = await world();
    const writer = await visitor(dashboard, "admin");
    const token = await tokenOf(dashboard);
    const ours = { "sec-fetch-site": "same-origin" };
    for (const [fields, headers] of [
      [{ csrf: token }, { "sec-fetch-site": "cross-site", origin: dashboard.url }],
      [{ csrf: token }, { origin: "https://evil.example" }],
      [{ csrf: `${token}x` }, ours],
      [{}, ours],
    ] as const) {
      expect(await verdictOf(await writer.post(own(path), fields, headers))).toBe("forged");
    }
  });

  it("another person's session and token do not fit together", async () => {
    const { dashboard, own } = await world();
    const mira = await visitor(dashboard, "admin");
    const token = await tokenOf(dashboard);
    dashboard.github.visitor = { id: 7, login: "lena" };
    dashboard.github.rights.shop = { mira: "admin", lena: "admin" };
    const lena = new Browser(dashboard.url);
    await lena.open("/login?to=/-/logout");
    const path = own("/acme/shop/runs/RUN/again");
    expect(await verdictOf(await lena.post(path, { csrf: token }, { "sec-fetch-site": "same-origin" }))).toBe("forged");
    mira.cookies.clear();
    expect(await verdictOf(await mira.post(path, { csrf: token }, { "sec-fetch-site": "same-origin" }))).toBe("sign in");
  });

  it("who lost the right to write half a minute ago does nothing any more", async () => {
    const { dashboard, own } = await world();
    const mira = await visitor(dashboard, "admin");
    const lock = () => ask(dashboard, mira, { method: "POST", path: own("/acme/shop/environments/staging/lock") });
    expect(await lock()).toBe("done or refused");
    dashboard.github.rights.shop = { mira: "read" };
    dashboard.advance(30_000);
    expect(await lock()).toBe("may not write");
  });

  describe("of a public repository whose logs are open to everybody", () => {
    const open = ["/runs/RUN", "/runs/RUN/log", "/runs/RUN/log.txt", "/runs/RUN/search?q=a", "/runs/RUN/live"];
    const makePublic = (dashboard: Dashboard, isPrivate: boolean) =>
      dashboard.database.write((tx) =>
        rememberRepository(tx, {
          ...{ id: 1, installation: 7, owner: "acme", name: "shop", defaultBranch: "main", cloneUrl: "-" },
          private: isPrivate,
        }),
      );

    it("a stranger sees the runs and nothing else", async () => {
      const { dashboard, own, others } = await world({ publicLogs: ["acme/*"] });
      await makePublic(dashboard, false);
      for (const row of table) {
        const isOpen = open.some((path) => row.path === `/acme/shop${path}`);
        expect([row.path, await ask(dashboard, new Browser(dashboard.url), { ...row, path: own(row.path) })]).toEqual([
          row.path,
          isOpen ? "shown" : row.stranger,
        ]);
      }
      expect(await verdictOf(await new Browser(dashboard.url).get(others("/acme/shop/runs/RUN")))).toBe("nothing here");
      expect(await verdictOf(await new Browser(dashboard.url).get(others("/acme/hidden/runs/RUN")))).toBe("sign in");
      expect(await (await fetch(`${dashboard.url}${own("/acme/shop/runs/RUN")}`)).text()).not.toContain('<form method="post"');
    });

    it("nobody does once it is private at GitHub", async () => {
      const { dashboard, own } = await world({ publicLogs: ["acme/*"] });
      await makePublic(dashboard, true);
      expect(await verdictOf(await new Browser(dashboard.url).get(own("/acme/shop/runs/RUN")))).toBe("sign in");
    });
  });
});

async function tokenOf({ database }: Dashboard): Promise<string> {
  const row = await database.read((db) =>
    db.selectFrom("session").select("csrf").orderBy("created_at", "desc").limit(1).executeTakeFirst(),
  );
  return row?.csrf ?? "";
}

async function verdictOf(answer: Response): Promise<Verdict> {
  const { status, headers } = answer;
  if (status === 403) return /did not come from a page/.test(await answer.text()) ? "forged" : "may not write";
  // A live log would not end.
  void answer.body?.cancel();
  if (status === 200) return "shown";
  if (status === 303) return "done or refused";
  if (status === 302 && headers.get("location")?.startsWith("/login")) return "sign in";
  if (status === 401) return "told to sign in";
  if (status === 404) return "nothing here";
  throw new Error(`unexpected answer ${status}`);
}
