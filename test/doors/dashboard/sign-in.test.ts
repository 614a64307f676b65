import { describe, expect, it } from "@jest/globals";
import { ownPath } from "../../../src/doors/dashboard/sign-in.ts";
import { Browser } from "./browser.ts";
import { type Dashboard, useDashboards } from "./dashboard.ts";
import { aCheck } from "./runs.ts";

const hour = 3_600_000;

describe("signing in with GitHub", () => {
  const open = useDashboards();

  async function signedIn(dashboard: Dashboard): Promise<Browser> {
    const browser = new Browser(dashboard.url);
    await browser.open("/login");
    return browser;
  }

  it("sends a stranger over GitHub and back to the page of the link", async () => {
    const dashboard = await open({ auth: "github" });
    const run = await aCheck(dashboard.database, { title: "Round half up" });
    const browser = new Browser(dashboard.url);

    const { response, address } = await browser.open(`/acme/shop/runs/${run.id}?line=3`);

    expect(address).toBe(`${dashboard.url}/acme/shop/runs/${run.id}?line=3`);
    expect(response.status).toBe(200);
    const page = await response.text();
    expect(page).toContain("Round half up");
    expect(page).toContain("Signed in as mira");
  });

  it("keeps neither GitHub's token nor the cookie in the database", async () => {
    const dashboard = await open({ auth: "github" });
    const browser = await signedIn(dashboard);
    const rows = await dashboard.database.read((db) => db.selectFrom("session").selectAll().execute());
    const [row] = rows;
    expect(rows).toHaveLength(1);
    expect(row).toMatchObject({ user_id: 583231, login: "mira" });
    const text = JSON.stringify([rows, dashboard.log]);
    expect(text).not.toContain(browser.cookies.get("signalbox-session"));
    expect(text).not.toContain("ghu_");
    expect(row?.id).not.toBe(browser.cookies.get("signalbox-session"));
  });

  it("gives a cookie that no script reads and that is Secure and bound to the host behind https", async () => {
    const dashboard = await open({ auth: "github", publicUrl: "https://ci.example.com" });
    const browser = new Browser(dashboard.url);
    const toGitHub = await browser.get("/login");
    const back = new URL(
      (await fetch(toGitHub.headers.get("location") ?? "", { redirect: "manual" })).headers.get("location") ?? "",
    );
    expect(back.origin).toBe("https://ci.example.com");

    const answer = await browser.get(`${back.pathname}${back.search}`);

    const session = answer.headers.getSetCookie().find((set) => set.startsWith("__Host-signalbox-session="));
    expect(session?.split("; ").slice(1).sort()).toEqual(["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax", "Secure"]);
    expect(answer.headers.get("strict-transport-security")).toBe("max-age=31536000");
  });

  it("does not begin on plain http that others can read", async () => {
    const dashboard = await open({ auth: "github", publicUrl: "http://ci.example.com" });
    const answer = await new Browser(dashboard.url).get("/login");
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("sets PUBLIC_URL");
  });

  it.each([
    "//evil.example/",
    "https://evil.example",
    "/\\evil.example",
    "/x/..//evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "",
  ])("leads nobody to %j", async (to) => {
    const dashboard = await open({ auth: "github" });
    const browser = new Browser(dashboard.url);
    const { address } = await browser.open(`/login?${new URLSearchParams({ to })}`);
    expect(address).toBe(`${dashboard.url}/`);
    expect(ownPath(to)).toBe("/");
  });

  it("lets two tabs sign in at the same time", async () => {
    const dashboard = await open({ auth: "github" });
    const browser = new Browser(dashboard.url);
    const [first, second] = [await browser.get("/login?to=/acme/shop"), await browser.get("/login?to=/acme/shop/runs")];
    expect((await browser.open(second.headers.get("location") ?? "")).address).toBe(`${dashboard.url}/acme/shop/runs`);
    expect((await browser.open(first.headers.get("location") ?? "")).address).toBe(`${dashboard.url}/acme/shop`);
  });

  it("refuses a code that another browser has asked for", async () => {
    const dashboard = await open({ auth: "github" });
    const attacker = new Browser(dashboard.url);
    const toGitHub = await attacker.get("/login");
    const back = (await fetch(toGitHub.headers.get("location") ?? "", { redirect: "manual" })).headers.get("location") ?? "";
    const victim = new Browser(dashboard.url);

    const answer = await victim.get(back);

    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("not begun in this browser");
    expect(victim.cookies.get("signalbox-session")).toBeUndefined();
    expect(dashboard.github.requests).not.toContain("POST /login/oauth/access_token");
  });

  it("refuses a state that is only almost the one it gave out", async () => {
    const dashboard = await open({ auth: "github" });
    const browser = new Browser(dashboard.url);
    const toGitHub = await browser.get("/login");
    const back = (await fetch(toGitHub.headers.get("location") ?? "", { redirect: "manual" })).headers.get("location") ?? "";
    expect((await browser.get(`${back}A`)).status).toBe(400);
    expect(browser.cookies.get("signalbox-session")).toBeUndefined();
  });

  it("takes a code once", async () => {
    const dashboard = await open({ auth: "github" });
    const browser = new Browser(dashboard.url);
    const toGitHub = await browser.get("/login");
    const back = (await fetch(toGitHub.headers.get("location") ?? "", { redirect: "manual" })).headers.get("location") ?? "";
    const kept = new Map(browser.cookies);
    await browser.get(back);
    const other = new Browser(dashboard.url);
    for (const [name, value] of kept) other.cookies.set(name, value);

    const answer = await other.get(back);

    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("Sign in again.");
  });

  it.each([
    ["access_denied", "choose “Authorize”"],
    ["redirect_uri_mismatch", "callback URL in the App&#39;s settings"],
    ["<script>", "did not accept the sign-in"],
  ])("says what to do when GitHub says %s", async (error, advice) => {
    const dashboard = await open({ auth: "github" });
    const browser = new Browser(dashboard.url);
    const state = new URL((await browser.get("/login")).headers.get("location") ?? "").searchParams.get("state") ?? "";
    const answer = await browser.get(`/login/callback?${new URLSearchParams({ error, state })}`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(advice);
  });

  it("says which setting is wrong when GitHub refuses our secret, and never the secret", async () => {
    const dashboard = await open({ auth: "github", clientSecret: "an-old-secret" });
    const { response } = await new Browser(dashboard.url).open("/login");
    const page = await response.text();
    expect(page).toContain("GITHUB_CLIENT_SECRET");
    expect(page + JSON.stringify(dashboard.log)).not.toContain("an-old-secret");
  });

  it("says so when GitHub is down", async () => {
    const dashboard = await open({ auth: "github" });
    const browser = new Browser(dashboard.url);
    const toGitHub = await browser.get("/login");
    const back = (await fetch(toGitHub.headers.get("location") ?? "", { redirect: "manual" })).headers.get("location") ?? "";
    dashboard.github.down = true;
    const answer = await browser.get(back);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("GitHub did not answer");
  });

  it("ends a session twelve hours after its last use", async () => {
    const dashboard = await open({ auth: "github" });
    const browser = await signedIn(dashboard);
    dashboard.advance(11 * hour);
    expect((await browser.get("/acme/shop")).status).toBe(200);
    dashboard.advance(11 * hour);
    expect((await browser.get("/acme/shop")).status).toBe(200);
    dashboard.advance(12 * hour);
    expect((await browser.get("/acme/shop")).status).toBe(302);
  });

  it("ends a session after thirty days, however much it is used", async () => {
    const dashboard = await open({ auth: "github" });
    const browser = await signedIn(dashboard);
    for (let days = 0; days < 29.9; days += 0.4) {
      expect((await browser.get("/acme/shop")).status).toBe(200);
      dashboard.advance(0.4 * 24 * hour);
    }
    expect((await browser.get("/acme/shop")).status).toBe(302);
  });

  it("signs out by a form of ours only, and for good", async () => {
    const dashboard = await open({ auth: "github" });
    const browser = await signedIn(dashboard);
    const cookie = browser.cookies.get("signalbox-session") ?? "";
    const csrf = /name="csrf" value="([^"]+)"/.exec(await (await browser.get("/")).text())?.[1] ?? "";
    const own = { "sec-fetch-site": "same-origin" };

    expect((await browser.post("/-/logout", { csrf: "guessed" }, own)).status).toBe(403);
    expect((await browser.post("/-/logout", { csrf }, { "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await browser.post("/-/logout", { csrf }, { origin: "https://evil.example" })).status).toBe(403);
    expect((await browser.get("/acme/shop")).status).toBe(200);

    expect((await browser.post("/-/logout", { csrf }, own)).status).toBe(303);
    expect(browser.cookies.has("signalbox-session")).toBe(false);
    browser.cookies.set("signalbox-session", cookie);
    expect((await browser.get("/acme/shop")).status).toBe(302);
    expect(await (await browser.get("/-/logout")).text()).toContain("You are signed out");
  });
});
