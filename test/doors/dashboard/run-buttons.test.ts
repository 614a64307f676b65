import { describe, expect, it } from "@jest/globals";
import { Browser } from "./browser.ts";
import { type Dashboard, useDashboards } from "./dashboard.ts";
import { anEndedDeployment } from "./scene.ts";

const environments = ["staging", "production", "elsewhere"];
const file = `environments:
${environments.map((name) => `  ${name}: { target: directory, with: { path: ${name} }${name === "staging" ? "" : ", after: staging"} }`).join("\n")}`;
const [first, second, third] = ["1", "2", "3"].map((digit) => digit.repeat(40)) as [string, string, string];
const failed = { kind: "failed", what: "it is not healthy", switched: true } as const;

describe("what may be done about a deployment that has ended", () => {
  const open = useDashboards();

  async function shop(choice = {}): Promise<Dashboard> {
    const dashboard = await open(choice);
    dashboard.github.files.shop = { ".github/signalbox.yml": file };
    return dashboard;
  }

  const deployed = (dashboard: Dashboard, commit: string, environment = "staging") =>
    anEndedDeployment(dashboard, { environment, commit, title: `Change ${commit[0]}` });

  /** What the buttons of a run's page say, and what they would send. */
  async function offers(dashboard: Dashboard, run: number): Promise<readonly (readonly string[])[]> {
    const text = await (await fetch(`${dashboard.url}/acme/shop/runs/${run}`)).text();
    const words = [...text.matchAll(/popovertarget="[\w-]+" class="\w*">(?:<svg.*?<\/svg>)?([^<]+…)</g)].map(
      ([, one]) => one ?? "",
    );
    const forms = [...text.matchAll(/<form method="post" action="([^"]+)"[\s\S]*?<\/form>/g)].map(([form, action = ""]) => [
      action.replace("/acme/shop/environments/", ""),
      ...[...form.matchAll(/name="(?:to|sha)" value="([^"]+)"/g)].map(([, value = ""]) => value.slice(0, 40)),
    ]);
    return words.map((one, at) => [one, ...(forms.filter(([action]) => action !== "/-/logout")[at] ?? [])]);
  }

  it("is promoted where its commit is not, deployed again, or rolled back while it is live", async () => {
    const dashboard = await shop();
    await deployed(dashboard, first);
    await deployed(dashboard, first, "production");
    const live = await deployed(dashboard, second);
    await deployed(dashboard, second, "elsewhere");
    expect(await offers(dashboard, live)).toEqual([
      ["Promote to production…", "staging/promote", "production", second],
      ["Deploy again…", "staging/deploy", second],
      ["Roll back…", "staging/rollback", first],
    ]);
  });

  it("is put back when something else is live", async () => {
    const dashboard = await shop();
    const older = await deployed(dashboard, first);
    await deployed(dashboard, second);
    expect(await offers(dashboard, older)).toEqual([
      ["Deploy again…", "staging/deploy", first],
      ["Roll back to this…", "staging/rollback", first],
    ]);
  });

  it("is undone when it failed after the switch, from its own page and from that of what was live", async () => {
    const dashboard = await shop();
    const live = await deployed(dashboard, second);
    const bad = await anEndedDeployment(dashboard, { commit: third, title: "Change 3" }, failed);
    expect((await offers(dashboard, bad)).at(-1)).toEqual(["Roll back…", "staging/rollback", second]);
    expect((await offers(dashboard, live)).at(-1)).toEqual(["Roll back to this…", "staging/rollback", second]);
  });

  it("is left alone when it changed nothing, or its environment is not in the file", async () => {
    const dashboard = await shop();
    await deployed(dashboard, first);
    const unchanged = await anEndedDeployment(dashboard, { commit: second, title: "Change 2" }, { kind: "failed", what: "no" });
    expect(await offers(dashboard, unchanged)).toEqual([["Deploy again…", "staging/deploy", second]]);
    await deployed(dashboard, first, "preview-pr-12");
    const preview = await deployed(dashboard, second, "preview-pr-12");
    expect(await offers(dashboard, preview)).toEqual([]);
    const page = await (await fetch(`${dashboard.url}/acme/shop/environments/preview-pr-12`)).text();
    expect(page).not.toContain("Roll back…");
  });

  it("can be rolled back while GitHub is silent", async () => {
    const dashboard = await shop();
    await deployed(dashboard, first);
    const live = await deployed(dashboard, second);
    dashboard.github.down = true;
    expect(await offers(dashboard, live)).toEqual([["Roll back…", "staging/rollback", first]]);
  });

  it("is nothing for a reader", async () => {
    const dashboard = await shop({ auth: "github" });
    await deployed(dashboard, first);
    const live = await deployed(dashboard, second);
    const reader = new Browser(dashboard.url);
    await reader.open("/login");
    const text = await (await reader.get(`/acme/shop/runs/${live}`)).text();
    expect(text).toContain("Change 2");
    expect(text).not.toMatch(/Promote|Roll back|Deploy again/);
  });

  it("is not promoted when another commit went live since the page was looked at", async () => {
    const dashboard = await shop();
    await deployed(dashboard, first);
    const live = await deployed(dashboard, second);
    const text = await (await fetch(`${dashboard.url}/acme/shop/runs/${live}`)).text();
    const csrf = /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? "";
    await deployed(dashboard, third);
    const answer = await fetch(`${dashboard.url}/acme/shop/environments/staging/promote`, {
      method: "POST",
      headers: { accept: "application/json", "sec-fetch-site": "same-origin" },
      body: new URLSearchParams({ csrf, to: "production", sha: second }),
    });
    expect([answer.status, await answer.json()]).toEqual([
      409,
      { kind: "refused", text: "3333333 is live on staging by now, no longer 2222222: look again" },
    ]);
  });
});
