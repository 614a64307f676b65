import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import { Browser } from "../doors/dashboard/browser.ts";
import { deliver, handled, held, heldCommand, letGo, useSharedJourney } from "../support/journey.ts";

const file = `checks: { test: { run: "echo begun; ${held}" } }`;

/** What says on GitHub that somebody may do less than before. */
const told = [
  "member.removed",
  "membership.removed",
  "organization.member_removed",
  "team.removed_from_repository",
  "repository.privatized",
  "repository.deleted",
];

describe("whoever loses the right to see a repository while they look at a live log", () => {
  const journey = useSharedJourney({ env: { DASHBOARD_AUTH: "github" } });

  async function privateShop(name: string): Promise<{ readonly shop: Repository; readonly run: number }> {
    const files = { ".github/signalbox.yml": file };
    const shop = await journey.github.repository({ owner: "acme", name, private: true, files, permissions: { mira: "write" } });
    await shop.commit({ branch: "autumn", from: "main", files: { a: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await heldCommand(journey.folder);
    const { id } = await journey.server.database.read((db) =>
      db.selectFrom("run").select("id").where("repository", "=", shop.id).executeTakeFirstOrThrow(),
    );
    return { shop, run: id };
  }

  async function signedIn(login: string): Promise<Browser> {
    const { url } = journey.server;
    const browser = new Browser(url);
    const { address } = await browser.open("/login");
    const back = (await browser.get(`${address}&login=${login}`)).headers.get("location") ?? "";
    const { pathname, search } = new URL(back);
    await browser.get(`${url}${pathname}${search}`);
    return browser;
  }

  /** Of one installation and repository in place of those that all fixtures share. */
  function fixture(name: string, shop: Repository, installation: number): object {
    const text = readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), "utf8");
    const { repository, ...payload } = JSON.parse(text);
    const here = { id: shop.id, name: shop.fullName.slice(5), full_name: shop.fullName, clone_url: shop.cloneUrl, private: true };
    return {
      ...payload,
      ...(repository === undefined ? {} : { repository: { ...repository, ...here } }),
      installation: { ...payload.installation, id: installation },
    };
  }

  it("sees no more of it, whatever GitHub calls it", async () => {
    const { shop, run } = await privateShop("shop");
    const { installation } = await journey.server.database.read((db) =>
      db.selectFrom("repository").select("installation").where("id", "=", shop.id).executeTakeFirstOrThrow(),
    );
    shop.permit("lena", "read");
    const lena = await signedIn("lena");
    for (const name of told) {
      shop.permit("lena", "read");
      await deliver(journey, "member", fixture("member.added", shop, installation));
      await handled(journey);
      const live = await lena.get(`/acme/shop/runs/${run}/live?attempt=1&from=1`);
      expect([name, live.status]).toEqual([name, 200]);
      shop.dismiss("lena");
      const [event = ""] = name.split(".");
      await deliver(journey, event, fixture(name, shop, installation));
      // The stream looks by itself only after 15 seconds, and believes an answer of GitHub's for five minutes.
      expect([name, (await live.text()).includes("event: gone")]).toEqual([name, true]);
      expect([name, (await lena.get(`/acme/shop/runs/${run}`)).status]).toEqual([name, 404]);
    }
    await letGo(journey.folder);
  });

  it("while others see it go on", async () => {
    const { shop, run } = await privateShop("books");
    shop.permit("lena", "read");
    shop.permit("nils", "read");
    const streams = await Promise.all(
      ["lena", "nils"].map(async (login) => (await signedIn(login)).get(`/acme/books/runs/${run}/live?attempt=1&from=1`)),
    );
    shop.dismiss("lena");
    shop.hide();
    const [lenas, nils] = streams.map((live) => live.text());
    expect(await lenas).toContain("event: gone");
    await letGo(journey.folder);
    expect(await nils).toContain("event: end");
  });
});
