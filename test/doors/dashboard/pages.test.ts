import { describe, expect, it } from "@jest/globals";
import { createDeploymentRun } from "../../../src/runs/births.ts";
import { claim, enqueue, finish } from "../../../src/runs/queue.ts";
import { keepReading } from "../../../src/runs/readings.ts";
import { Browser } from "./browser.ts";
import { type Dashboard, useDashboards } from "./dashboard.ts";
import { aCheck } from "./runs.ts";

const hostile = `<script>alert(1)</script>"'&amp;<img src=x onerror=alert(1)>`;
const sha = "4be07d1".padEnd(40, "0");

describe("the pages", () => {
  const open = useDashboards();
  const page = async (dashboard: Dashboard, path: string) => (await fetch(`${dashboard.url}${path}`)).text();

  it("show how a run ended, why, and its log with colours", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    await run.start();
    await run.step("npm test", null);
    await run.print("one", "\u001b[31mtwo\u001b[0m", "three");
    dashboard.advance(40_000);
    await run.end({ kind: "failed", what: "npm test exited with 1", exitCode: 1 });

    const text = await page(dashboard, `/acme/shop/runs/${run.id}`);

    expect(text).toContain("<title>Failed: test · Signalbox</title>");
    expect(text).toMatch(/<link rel="icon"[^>]+icons\/failed\.svg"/);
    expect(text).toContain("Failed: npm test exited with 1 after 40 s");
    expect(text).toContain('href="/acme/shop/pulls/12">#12 Round half up<');
    expect(text).toMatch(/id="L2"><a href="#L2"[^>]*><\/a><span><span class="fg1">two<\/span><\/span>/);
    expect(text).toContain(`href="/acme/shop/runs/${run.id}?attempt=1&amp;line=1#L1" data-line="1"`);
    expect(text).toContain("3 lines");
  });

  it("hold the last 200 lines of a long log, or those around a line that was asked for", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    await run.start();
    await run.print(...Array.from({ length: 1_000 }, (_, at) => `line ${at + 1}.`));
    const numbers = async (query: string) =>
      [
        ...(await page(dashboard, `/acme/shop/runs/${run.id}${query}`)).matchAll(
          /class="line" id="L(\d+)".*?<span>line (\d+)\./g,
        ),
      ].map(([, id, text]) => {
        expect(id).toBe(text);
        return Number(id);
      });
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
    expect(await numbers("")).toEqual(range(801, 1_000));
    expect(await numbers("?line=500")).toEqual(range(450, 649));
    expect(await numbers("?line=3")).toEqual(range(1, 200));
    expect(await numbers("?line=99999999")).toEqual(range(950, 1_000));
    expect(await numbers("?line=-1")).toEqual(range(801, 1_000));
  });

  it("give any part of a log as JSON and all of it as plain text", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    await run.start();
    await run.print(...Array.from({ length: 1_200 }, (_, at) => `\u001b[32mline\u001b[0m ${at + 1}`));
    const address = `${dashboard.url}/acme/shop/runs/${run.id}`;

    const part = await (await fetch(`${address}/log?attempt=1&from=300&to=301`)).json();
    expect(part).toEqual({
      attempt: 1,
      first: 300,
      lines: ["\u001b[32mline\u001b[0m 300", "\u001b[32mline\u001b[0m 301"],
      times: [[300, Date.parse("2026-11-22T12:00:00Z")]],
      group: null,
      count: 1_200,
    });
    const much = (await (await fetch(`${address}/log?from=1&to=1200`)).json()) as { lines: string[] };
    expect(much.lines).toHaveLength(500);

    const raw = await fetch(`${address}/log.txt`);
    expect(raw.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(raw.headers.get("content-disposition")).toBe(`attachment; filename="run-${run.id}-test-attempt-1.txt"`);
    expect(await raw.text()).toBe(Array.from({ length: 1_200 }, (_, at) => `line ${at + 1}\n`).join(""));
  });

  it("keep the log of an earlier attempt", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    await run.start();
    await run.print("the first time");
    await run.end({ kind: "failed", what: "it broke" });
    await run.again();
    await run.start();
    await run.print("the second time");

    const newest = await page(dashboard, `/acme/shop/runs/${run.id}`);
    expect(newest).toContain("the second time");
    expect(newest).not.toContain("the first time");
    const older = await page(dashboard, `/acme/shop/runs/${run.id}?attempt=1`);
    expect(older).toContain("the first time");
    expect(older).not.toContain("data-live");
    expect(await page(dashboard, `/acme/shop/runs/${run.id}?attempt=7`)).toContain("the second time");
  });

  it("show everything that comes from outside as text", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database, {
      name: hostile,
      title: hostile,
      ref: `refs/heads/${hostile}`,
      person: hostile,
      sha,
    });
    await run.start();
    await run.step(hostile, 0);
    await run.print(hostile, `\u001b]8;;javascript:alert(1)\u0007${hostile}`);
    await run.end({ kind: "failed", what: hostile });
    await dashboard.database.write((tx) =>
      keepReading(tx, 1, sha, { kind: "mistakes", mistakes: [{ path: hostile, problem: hostile, line: 3 }] }),
    );
    for (const path of ["/", "/acme/shop", "/acme/shop/runs", `/acme/shop/runs/${run.id}`, `/-/config/acme/shop/${sha}`]) {
      const text = await page(dashboard, path);
      expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
      expect(text).not.toContain("<script>alert");
      expect(text).not.toContain("<img");
    }
    const raw = await fetch(`${dashboard.url}/acme/shop/runs/${run.id}/log.txt`);
    expect(raw.headers.get("content-disposition")).toMatch(/^attachment; filename="[\w.-]+"$/);
  });

  it("say what is wrong in a repository's file, and where", async () => {
    const dashboard = await open();
    const problem = '"shh" is not a target; did you mean "ssh"?';
    await dashboard.database.write((tx) =>
      keepReading(tx, 1, sha, { kind: "mistakes", mistakes: [{ path: "environments.staging.target", problem, line: 12 }] }),
    );
    const text = await page(dashboard, `/-/config/acme/shop/${sha}`);
    expect(text).toContain("<code>environments.staging.target</code>");
    expect(text).toContain("&quot;shh&quot; is not a target; did you mean &quot;ssh&quot;?");
    expect(text).toContain(`/acme/shop/blob/${sha}/.github/signalbox.yml#L12">line 12</a>`);
    expect((await fetch(`${dashboard.url}/-/config/acme/shop/${sha.slice(0, 7)}`)).status).toBe(404);
  });

  it("show what is live where, and what waits", async () => {
    const dashboard = await open();
    const deploy = (commit: string, title: string) =>
      dashboard.database.write((tx) =>
        createDeploymentRun(tx, {
          cause: { kind: "receipt", id: 1 },
          repository: 1,
          sha: commit,
          ref: "main",
          pullRequest: 12,
          title,
          person: "jonas",
          configuration: null,
          environment: "staging",
          task: "deploy",
          automatic: true,
          github: null,
          start: { state: "waiting", gates: [{ kind: "checks", notGreen: [{ context: "signalbox/test", state: "pending" }] }] },
        }),
      );
    const first = (await deploy(sha, "Round half up")) ?? 0;
    await dashboard.database.write((tx) => enqueue(tx, first, null));
    await claim(dashboard.database, "a worker", async () => "may start");
    const live = { release: "1", url: "javascript:alert(1)" };
    await dashboard.database.write((tx) => finish(tx, { id: first, owner: "a worker", attempt: 1 }, { kind: "passed", live }));
    await deploy("9".repeat(40), "Cache the prices");

    const text = await page(dashboard, "/acme/shop");
    expect(text).toMatch(
      /<h2><a href="\/acme\/shop\/environments\/staging">staging<\/a><\/h2>[\s\S]*Live<\/span> Round half up[\s\S]*Waiting for checks: signalbox\/test is pending/,
    );
    expect(await page(dashboard, `/acme/shop/runs/${first}`)).not.toContain("javascript:");
  });

  it("list runs some at a time, newest first", async () => {
    const dashboard = await open();
    const ids: number[] = [];
    for (let at = 0; at < 55; at += 1) ids.unshift((await aCheck(dashboard.database)).id);
    const listed = async (path: string) => {
      const text = await page(dashboard, path);
      return {
        ids: [...text.matchAll(/class="what"><a href="\/acme\/shop\/runs\/(\d+)"/g)].map(([, id]) => Number(id)),
        more: /href="([^"]+)" rel="next">Older runs</.exec(text)?.[1],
      };
    };
    const newest = await listed("/acme/shop/runs");
    expect(newest.ids).toEqual(ids.slice(0, 50));
    const older = await listed(newest.more ?? "");
    expect(older).toEqual({ ids: ids.slice(50), more: undefined });
  });

  it("teach what to do where there is nothing yet", async () => {
    const dashboard = await open();
    expect(await page(dashboard, "/acme/shop")).toContain(".github/signalbox.yml");
    await dashboard.database.write((tx) => tx.db.deleteFrom("repository").execute());
    expect(await page(dashboard, "/")).toContain("Install the App on a repository");
  });

  it.each([
    "/acme/shop/runs/999",
    "/acme/shop/runs/1e3",
    "/acme/shop/runs/99999999999999999999",
    "/nobody/nothing",
    "/x/y/z/a/b",
    "/-/files/x/client/../routes.ts",
    "/-/files/x/routes.ts",
  ])("say that there is nothing at %s", async (path) => {
    const dashboard = await open();
    const answer = await fetch(`${dashboard.url}${path}`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("There is nothing here for you");
  });

  it("are found in any case, as on GitHub", async () => {
    const dashboard = await open();
    expect((await fetch(`${dashboard.url}/ACME/Shop`)).status).toBe(200);
  });

  it("keep a fault's message to themselves", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    await dashboard.database.write(({ db }) =>
      db.updateTable("run").set({ cause: "nonsense" }).where("id", "=", run.id).execute(),
    );
    const answer = await fetch(`${dashboard.url}/acme/shop/runs/${run.id}`);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("cannot be read");
    expect(JSON.stringify(dashboard.log)).toContain(`Run ${run.id} in the database cannot be read`);
  });

  it("come with headers that let nothing of them become code, whatever the answer", async () => {
    const dashboard = await open({ auth: "github" });
    const run = await aCheck(dashboard.database);
    const browser = new Browser(dashboard.url);
    await browser.open("/login");
    for (const path of [
      "/",
      "/acme/none",
      "/login",
      `/acme/shop/runs/${run.id}`,
      `/acme/shop/runs/${run.id}/log`,
      `/acme/shop/runs/${run.id}/log.txt`,
    ]) {
      const { headers } = await browser.get(path);
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("form-action 'self'");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toContain("unsafe");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("same-origin");
      expect(headers.get("cache-control")).toBe("private, no-cache");
      expect(headers.get("strict-transport-security")).toBeNull();
    }
    const text = await (await browser.get(`/acme/shop/runs/${run.id}`)).text();
    expect(text).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
  });

  it("load files that a browser may keep for good, and asks for anew when they change", async () => {
    const dashboard = await open();
    const text = await page(dashboard, "/");
    const [, address = ""] = /rel="stylesheet" href="([^"]+)"/.exec(text) ?? [];
    const kept = await fetch(`${dashboard.url}${address}`);
    expect(kept.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(kept.headers.get("content-type")).toBe("text/css; charset=utf-8");
    const old = `${dashboard.url}/-/files/0123456789abcdef/style.css`;
    const asked = await fetch(old);
    expect(asked.headers.get("cache-control")).toBe("public, no-cache");
    expect(await asked.text()).toBe(await kept.text());
    expect((await fetch(old, { headers: { "if-none-match": asked.headers.get("etag") ?? "" } })).status).toBe(304);
  });

  it("load only scripts that exist, with everything that those import", async () => {
    const dashboard = await open();
    const run = await aCheck(dashboard.database);
    const text = await page(dashboard, `/acme/shop/runs/${run.id}`);
    const wanted = [...text.matchAll(/<script type="module" src="([^"]+)"/g)].map(
      ([, address]) => new URL(address ?? "", dashboard.url).href,
    );
    const seen = new Set<string>();
    for (let address = wanted.pop(); address !== undefined; address = wanted.pop()) {
      if (seen.has(address)) continue;
      seen.add(address);
      const answer = await fetch(address);
      expect([address, answer.status]).toEqual([address, 200]);
      for (const [, other] of (await answer.text()).matchAll(/^import .* from "([^"]+)"/gm))
        wanted.push(new URL(other ?? "", address).href);
    }
    expect(seen.size).toBeGreaterThan(5);
  });
});
