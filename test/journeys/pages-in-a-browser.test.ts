import { expect, it } from "@jest/globals";
import type { Locator, Page } from "playwright-core";
import { complaintsOf } from "../support/axe.ts";
import { freePort } from "../support/free-port.ts";
import { withChromium } from "../support/in-chromium.ts";
import { calm, held, heldCommand, letGo, useJourneys } from "../support/journey.ts";
import { until } from "../support/until.ts";

const file = `
checks:
  test:
    run: |
      echo "the first line"
      ${held}
      echo "the last line"
environments:
  staging:
    trigger: merge
    target: directory
    with: { path: staging }
  production:
    after: staging
    target: directory
    with: { path: production }
    approvals: { count: 1 }
`;

withChromium("people follow a change on the pages, from the pull request to the rollback", (open) => {
  const journeys = useJourneys();

  async function begin(options: Parameters<typeof open>[0] = {}) {
    const url = `http://127.0.0.1:${await freePort()}`;
    const env = { DASHBOARD_AUTH: "github", PORT: new URL(url).port, PUBLIC_URL: url };
    const journey = await journeys.start({ env });
    const shop = await journey.github.repository({
      owner: "acme",
      name: "shop",
      files: { ".github/signalbox.yml": file, "index.html": "Welcome\n" },
      permissions: { mira: "write", jonas: "maintain", lena: "read" },
    });
    // The server hears of the repository.
    await shop.commit({ branch: "other", from: "main", files: { "other.txt": "1\n" }, message: "Other", author: "mira" });
    await calm(journey);
    const page = await open(options);
    const signIn = async (login: string, path: string) => {
      await page.goto(`${url}${path}`);
      await page.getByRole("link", { name: login }).click();
      await page.waitForURL(`${url}${path}`);
    };
    return { journey, shop, page, signIn, url };
  }

  type Shop = Awaited<ReturnType<typeof begin>>["shop"];

  async function openPullRequest(shop: Shop, name: string): Promise<number> {
    await shop.commit({
      branch: name,
      from: "main",
      files: { [`${name}.html`]: `${name}\n` },
      message: `Add ${name}`,
      author: "mira",
    });
    return shop.openPullRequest({ title: `Add ${name}`, head: name, author: "mira" });
  }

  async function looksGood(page: Page): Promise<void> {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect([page.url(), colorScheme, await complaintsOf(page)]).toEqual([page.url(), colorScheme, []]);
    }
  }

  it("opens a pull request, watches it stream, merges, approves, rolls back, unlocks and locks", async () => {
    const { journey, shop, page, signIn, url } = await begin();
    const number = await openPullRequest(shop, "autumn");
    await heldCommand(journey.folder);

    await signIn("jonas", `/acme/shop/pulls/${number}`);
    await looksGood(page);
    await page.getByRole("link", { name: "test", exact: true }).click();
    const log = page.getByRole("region", { name: "Log" });
    await log.getByText("the first line").waitFor();
    expect(await page.title()).toBe("Running: test · Signalbox");
    await looksGood(page);
    await letGo(journey.folder);
    await log.getByText("the last line").waitFor();
    await page.getByText(/^Passed in/).waitFor();
    expect(await page.title()).toBe("Passed: test · Signalbox");
    // The buttons follow by themselves.
    await page.getByRole("button", { name: "Run again…" }).waitFor();
    expect(await page.getByRole("button", { name: "Cancel…" }).count()).toBe(0);

    await shop.merge(number, { by: "mira" });
    await page.goto(`${url}/acme/shop`);
    await reloadUntil(page, page.getByText("Waiting for approval"));
    await looksGood(page);
    await page.getByRole("button", { name: "Approve…" }).click();
    await page
      .getByRole("dialog")
      .getByText(/may go to production/)
      .waitFor();
    await looksGood(page);
    await page.getByRole("button", { name: "Keep as it is" }).click();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Approve…" }).click();
    await page.getByRole("button", { name: "Approve", exact: true }).click();
    await page
      .getByRole("status")
      .getByText(/is approved for production/)
      .waitFor();
    const production = page.locator("#production");
    await reloadUntil(page, production.getByText("Add autumn"));

    const second = await openPullRequest(shop, "winter");
    await letGo(journey.folder);
    await page.goto(`${url}/acme/shop/pulls/${second}`);
    await reloadUntil(page, page.getByText(/^Passed in/));
    await shop.merge(second, { by: "mira" });
    await page.goto(`${url}/acme/shop/environments/production`);
    await reloadUntil(page, page.getByText("Waiting for approval"));
    // What is on the branch is told by another webhook than the merge.
    await reloadUntil(page, page.locator("#why").getByText("Add winter"));
    await page.getByText("Why is this not deployed?").waitFor();
    await looksGood(page);
    await page.getByRole("button", { name: "Approve…" }).click();
    await page.getByRole("button", { name: "Approve", exact: true }).click();
    await reloadUntil(page, page.getByText("Every commit of main is live"));

    await page.getByRole("button", { name: "Roll back…" }).click();
    await page.getByLabel("Reason").locator("visible=true").fill("the cart is empty");
    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    await page
      .getByRole("status")
      .getByText(/^production goes back to/)
      .waitFor();
    await page.getByText("Locked by jonas").waitFor();
    expect(await page.locator(".history").textContent()).toMatch(/jonas rolled back run \d+: .?the cart is empty/);
    expect(journey.github.deliveries().length).toBeGreaterThan(0);
    await reloadUntil(page, page.locator("#why").getByText("Add winter"));
    expect(shop.deployments().at(-1)?.task).toBe("rollback");
    await looksGood(page);

    await page.getByRole("button", { name: "Unlock…" }).click();
    await page.getByRole("button", { name: "Unlock", exact: true }).click();
    await page
      .getByRole("status")
      .getByText(/^production is unlocked/)
      .waitFor();

    const newest = journey.server.database.read((db) =>
      db.selectFrom("run").select("id").where("name", "=", "staging").orderBy("id", "desc").executeTakeFirstOrThrow(),
    );
    await page.goto(`${url}/acme/shop/runs/${(await newest).id}`);
    await page.getByRole("button", { name: "Promote to production…" }).click();
    await page.getByRole("dialog").getByText("It is live on staging: “Add winter”").waitFor();
    await looksGood(page);
    await page.getByLabel("Reason").locator("visible=true").fill("the cart was never empty");
    await page.getByRole("button", { name: "Promote", exact: true }).click();
    await page
      .getByRole("status")
      .getByText(/goes from staging to production$/)
      .waitFor();
    await page.getByRole("button", { name: "Roll back…" }).click();
    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    await page
      .getByRole("status")
      .getByText(/^staging goes back to/)
      .waitFor();
    await reloadUntil(page, page.getByRole("button", { name: "Roll back to this…" }));
    expect(shop.deployments().map(({ environment, task }) => `${task} ${environment}`)).toEqual([
      ...["deploy staging", "deploy production", "deploy staging", "deploy production"],
      ...["rollback production", "deploy production", "rollback staging"],
    ]);
    await page.goto(`${url}/acme/shop/environments/production`);
    expect(await page.locator(".history").textContent()).toMatch(/jonas promoted run \d+: .?the cart was never empty/);
    await page.getByRole("button", { name: "Lock…" }).click();
    await page.getByLabel("Reason").locator("visible=true").fill("the database moves");
    await page.getByRole("button", { name: "Lock", exact: true }).click();
    await page.getByText("the database moves").first().waitFor();

    for (const path of ["/", "/acme/shop", "/acme/shop/runs", "/acme/shop/deliveries"]) {
      await page.goto(`${url}${path}`);
      await looksGood(page);
    }
    await page.getByRole("link", { name: "pull_request.opened" }).last().click();
    await page.getByRole("heading", { name: "Payload" }).waitFor();
    await looksGood(page);
  }, 240_000);

  it("works without scripts: the log is readable, and a question does what it says", async () => {
    const { journey, shop, page, signIn, url } = await begin({ javaScriptEnabled: false });
    await openPullRequest(shop, "autumn");
    await letGo(journey.folder);
    await calm(journey);
    await signIn("mira", "/acme/shop/runs");
    await page.getByRole("link", { name: "test", exact: true }).click();
    await page.getByRole("region", { name: "Log" }).getByText("the last line").waitFor();
    await page.goto(`${url}/acme/shop/environments/staging`);
    await page.getByRole("button", { name: "Lock…" }).click();
    await page.getByLabel("Reason").locator("visible=true").fill("<b>no scripts</b>");
    await page.getByRole("button", { name: "Lock", exact: true }).click();
    await page.getByText("Locked by mira").waitFor();
    expect(await page.getByText("<b>no scripts</b>").count()).toBeGreaterThan(0);
  }, 120_000);

  it("a reader is shown no buttons", async () => {
    const { page, signIn } = await begin();
    await signIn("lena", "/acme/shop");
    await page.getByRole("link", { name: "staging" }).waitFor();
    expect(await page.getByRole("button", { name: /…$/ }).count()).toBe(0);
  }, 120_000);

  it("everything is reached by keyboard, and a question gives the focus back", async () => {
    const { page, signIn, url } = await begin({ reducedMotion: "reduce" });
    await signIn("jonas", "/acme/shop");
    await page.goto(`${url}/acme/shop/environments/staging`);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const focused = () => page.evaluate<string>("document.activeElement?.textContent ?? ''");
    for (let tab = 0; tab < 20 && (await focused()) !== "Lock…"; tab += 1) await page.keyboard.press("Tab");
    expect(await focused()).toBe("Lock…");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    expect(await focused()).toBe("Lock…");
  }, 120_000);
});

/** As somebody who waits does. */
async function reloadUntil(page: Page, wanted: Locator): Promise<void> {
  await until(
    `${page.url()} shows ${wanted}`,
    async () => {
      await page.reload();
      return (await wanted.count()) > 0;
    },
    60_000,
  );
}
