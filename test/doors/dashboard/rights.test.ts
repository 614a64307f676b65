import { request } from "node:http";
import { describe, expect, it } from "@jest/globals";
import { Browser } from "./browser.ts";
import { useDashboards } from "./dashboard.ts";
import { aCheck } from "./runs.ts";

const sha = "4be07d1".padEnd(40, "0");

describe("who sees what", () => {
  const open = useDashboards();

  it.each([
    "/",
    "/acme/shop",
    "/acme/shop/runs",
    "/acme/shop/runs/1",
    "/acme/shop/runs/1/log.txt",
    `/-/config/acme/shop/${sha}`,
    "/acme/none",
  ])("a stranger is sent to sign in from %s", async (path) => {
    const dashboard = await open({ auth: "github" });
    const answer = await new Browser(dashboard.url).get(path);
    expect(answer.status).toBe(302);
    expect(answer.headers.get("location")).toBe(`/login?${new URLSearchParams({ to: path })}`);
  });

  it.each(["/acme/shop/runs/1/log", "/acme/shop/runs/1/live"])("a script of a stranger is told at %s", async (path) => {
    const dashboard = await open({ auth: "github" });
    expect((await new Browser(dashboard.url).get(path)).status).toBe(401);
  });

  it("a repository that GitHub hides looks like one that does not exist", async () => {
    const dashboard = await open({ auth: "github" });
    const run = await aCheck(dashboard.database, { repository: 2 });
    const browser = new Browser(dashboard.url);
    await browser.open("/login");
    const pages = await Promise.all(
      [
        "/acme/none",
        "/acme/hidden",
        "/acme/hidden/runs",
        `/acme/hidden/runs/${run.id}`,
        `/acme/hidden/runs/${run.id}/log`,
        `/acme/hidden/runs/${run.id}/log.txt`,
        `/acme/hidden/runs/${run.id}/live`,
        `/-/config/acme/hidden/${sha}`,
      ].map(async (path) => {
        const answer = await browser.get(path);
        return [answer.status, await answer.text()];
      }),
    );
    expect(pages[0]?.[0]).toBe(404);
    for (const page of pages) expect(page).toEqual(pages[0]);
    expect(await (await browser.get("/")).text()).not.toContain("/acme/hidden");
  });

  it("a run is not shown below another repository's address", async () => {
    const dashboard = await open({ auth: "github" });
    const run = await aCheck(dashboard.database, { repository: 2 });
    const browser = new Browser(dashboard.url);
    await browser.open("/login");
    for (const path of ["", "/log", "/log.txt", "/live"]) {
      expect((await browser.get(`/acme/shop/runs/${run.id}${path}`)).status).toBe(404);
    }
  });

  it("asks GitHub once in five minutes, and believes its newest answer", async () => {
    const dashboard = await open({ auth: "github" });
    const browser = new Browser(dashboard.url);
    await browser.open("/login?to=/acme/shop");
    await browser.get("/acme/shop/runs");
    const asked = () =>
      dashboard.github.requests.filter((request) => request.endsWith("/shop/collaborators/mira/permission")).length;
    expect(asked()).toBe(1);
    dashboard.github.rights.shop = {};

    dashboard.advance(5 * 60_000 - 1);
    expect((await browser.get("/acme/shop")).status).toBe(200);
    dashboard.advance(1);
    expect((await browser.get("/acme/shop")).status).toBe(404);
    expect(asked()).toBe(2);
  });

  it("a login that somebody else has by now gives no right", async () => {
    const dashboard = await open({ auth: "github" });
    const browser = new Browser(dashboard.url);
    await browser.open("/login?to=/login");
    dashboard.github.visitor = { id: 99, login: "mira" };
    expect((await browser.get("/acme/shop")).status).toBe(200);
    dashboard.advance(5 * 60_000);
    expect((await browser.get("/acme/shop")).status).toBe(404);
  });

  it("shows nothing while GitHub does not say, and asks again at once", async () => {
    const dashboard = await open({ auth: "github" });
    const browser = new Browser(dashboard.url);
    await browser.open("/login?to=/-/logout");
    dashboard.github.down = true;
    const answer = await browser.get("/acme/shop");
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain("GitHub does not answer");
    expect(await (await browser.get("/")).text()).toContain("GitHub did not say whether you may read 2 repositories");
    dashboard.github.down = false;
    expect((await browser.get("/acme/shop")).status).toBe(200);
  });

  it("without sign-in everything is to be seen, by this machine's own names only", async () => {
    const dashboard = await open();
    const { port } = new URL(dashboard.url);
    const browser = new Browser(dashboard.url);
    expect((await browser.get("/acme/hidden")).status).toBe(200);
    expect((await browser.get("/login")).status).toBe(404);
    expect(await statusFor(dashboard.url, `localhost:${port}`)).toBe(200);
    expect(await statusFor(dashboard.url, `evil.example:${port}`)).toBe(403);
    expect(dashboard.github.requests.filter((request) => request.includes("/collaborators/"))).toEqual([]);
  });
});

/** `fetch` lets nobody choose the host that is named. */
async function statusFor(url: string, host: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  request(`${url}/acme/shop`, { headers: { host } }, (response) => {
    response.resume();
    resolve(response.statusCode);
  })
    .on("error", reject)
    .end();
  return promise;
}
