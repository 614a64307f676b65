import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import nock from "nock";
import { pino } from "pino";
import { parse } from "yaml";
import { startSetUp } from "../src/set-up.ts";
import { loadEnvironment, readSettings } from "../src/settings.ts";

const pem = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs1", format: "pem" }).toString();
const secrets = { clientSecret: "c11e9700000000000000", webhookSecret: "5ec4e7f00dfacade0123" };

// Only for smee.io, where it is switched on: it stands between every socket and the network.
nock.restore();

describe("the set-up page", () => {
  let folder = "";
  let logged = "";
  let gitHub: Server;
  let asked: string[] = [];
  let conversion: { status: number; body: unknown };
  const open: { close(): Promise<void> }[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "signalbox-set-up-"));
    cpSync(fileURLToPath(new URL("../app.yml", import.meta.url)), join(folder, "app.yml"));
    logged = "";
    asked = [];
    gitHub = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(conversion.status, { "content-type": "application/json" }).end(JSON.stringify(conversion.body));
    });
    gitHub.listen(0, "127.0.0.1");
    await once(gitHub, "listening");
    conversion = { status: 201, body: registeredApp() };
  });

  afterEach(async () => {
    for (const page of open.splice(0)) await page.close();
    gitHub.close();
    gitHub.closeAllConnections();
    rmSync(folder, { recursive: true });
    nock.cleanAll();
    nock.restore();
  });

  it("offers the App of app.yml, with the addresses of this server", async () => {
    const url = await start({ PUBLIC_URL: "https://ci.example.com" });
    const { status, body } = await get(url, "/");
    expect(status).toBe(200);
    const { action, manifest, state } = offered(body);
    expect(action).toBe(`https://github.com/settings/apps/new?state=${state}`);
    expect(manifest).toEqual({
      ...parse(readFileSync(join(folder, "app.yml"), "utf8")),
      url: "https://ci.example.com",
      hook_attributes: { url: "https://ci.example.com/api/github/webhooks", active: true },
      callback_urls: ["https://ci.example.com/login/callback"],
      redirect_url: `${url}/probot/setup`,
      public: false,
    });
    expect(state).toMatch(/^[\w-]{43}$/);
  });

  it("follows GHE_HOST and the organization", async () => {
    const { body } = await get(await start({ GHE_HOST: "git.acme.test:8443", GHE_PROTOCOL: "http", GH_ORG: "acme" }), "/probot");
    expect(offered(body).action).toMatch(/^http:\/\/git\.acme\.test:8443\/organizations\/acme\/settings\/apps\/new\?state=/);
  });

  it("has webhooks sent to the proxy where there is one", async () => {
    const { body } = await get(await start({ WEBHOOK_PROXY_URL: "https://smee.io/abc" }), "/probot");
    expect(offered(body).manifest).toMatchObject({ hook_attributes: { url: "https://smee.io/abc" } });
    expect(body).not.toContain("GitHub refuses it");
  });

  it("warns when GitHub cannot reach this server, and asks nobody for help", async () => {
    playSmee();
    const smee = nock("https://smee.io").head("/new").reply(302);
    const { body } = await get(await start({}), "/probot");
    expect(body).toContain("GitHub refuses it");
    expect(smee.isDone()).toBe(false);
  });

  it("asks smee.io for a channel when NO_SMEE_SETUP=false says so, and keeps it", async () => {
    playSmee();
    nock("https://smee.io").head("/new").reply(302, undefined, { location: "https://smee.io/new-channel" });
    const url = await start({ NO_SMEE_SETUP: "false", ...atGitHub() });
    const { body } = await get(url, "/probot");
    expect(offered(body).manifest).toMatchObject({ hook_attributes: { url: "https://smee.io/new-channel" } });
    await get(url, `/probot/setup?code=abc&state=${offered(body).state}`);
    expect(loadEnvironment(folder, {}).WEBHOOK_PROXY_URL).toBe("https://smee.io/new-channel");
  });

  it("takes GitHub's code and keeps what it is exchanged for, in a file of the owner's", async () => {
    writeFileSync(join(folder, ".env"), "# mine\nPORT=4000", { mode: 0o644 });
    const url = await start({ NODE_ENV: "production", ...atGitHub() });
    const { state } = offered((await get(url, "/probot")).body);

    const { status, body } = await get(url, `/probot/setup?code=abc&state=${state}`, { "sec-fetch-site": "cross-site" });

    expect(status).toBe(200);
    expect(asked).toEqual(["POST /api/v3/app-manifests/abc/conversions"]);
    expect(body).toContain(`href="${atGitHubUrl()}/github-apps/signalbox/installations/new"`);
    expect(readFileSync(join(folder, ".env"), "utf8")).toMatch(/^# mine\nPORT=4000\n/);
    expect(statSync(join(folder, ".env")).mode & 0o777).toBe(0o600);
    const read = readSettings(loadEnvironment(folder, atGitHub()), { read: String });
    expect(read).toMatchObject({
      kind: "settings",
      settings: {
        appId: 42,
        port: 4000,
        webhookSecrets: [secrets.webhookSecret],
        dashboardAuth: { kind: "github", clientId: "Iv1.0123", clientSecret: secrets.clientSecret },
      },
    });
    expect(logged).toContain("start Signalbox again");
    for (const secret of [...Object.values(secrets), "PRIVATE KEY"]) expect(logged + body).not.toContain(secret);
  });

  it("makes the file readable to its owner only when there was none", async () => {
    const url = await start(atGitHub());
    await get(url, `/probot/setup?code=abc&state=${offered((await get(url, "/probot")).body).state}`);
    expect(statSync(join(folder, ".env")).mode & 0o777).toBe(0o600);
  });

  it("says what is still missing when GitHub gave out no webhook secret", async () => {
    conversion.body = { ...registeredApp(), webhook_secret: null };
    const url = await start(atGitHub());
    const { body } = await get(url, `/probot/setup?code=abc&state=${offered((await get(url, "/probot")).body).state}`);
    expect(body).toContain("WEBHOOK_SECRET is missing; make one");
    expect(loadEnvironment(folder, {})).toMatchObject({ APP_ID: "42" });
  });

  it("never links to a page that is not GitHub's", async () => {
    conversion.body = { ...registeredApp(), html_url: "https://evil.example" };
    const url = await start(atGitHub());
    const { body } = await get(url, `/probot/setup?code=abc&state=${offered((await get(url, "/probot")).body).state}`);
    expect(body).not.toContain("evil.example");
  });

  it.each(["", "&state=", "&state=guessed", `&state=${"é".repeat(43)}`])(
    "refuses a code that it did not ask for (%j)",
    async (state) => {
      const url = await start(atGitHub());
      const { status } = await get(url, encodeURI(`/probot/setup?code=abc${state}`));
      expect(status).toBe(403);
      expect({ asked, saved: existsSync(join(folder, ".env")) }).toEqual({ asked: [], saved: false });
    },
  );

  it("says that the exchange failed, keeps nothing, and can be used again", async () => {
    conversion = { status: 404, body: { message: "Not Found" } };
    const url = await start(atGitHub());
    const setup = `/probot/setup?code=abc&state=${offered((await get(url, "/probot")).body).state}`;
    expect(await get(url, setup)).toMatchObject({ status: 500, body: expect.stringContaining("The log of the server says why") });
    expect(logged).toContain("answered 404 to the exchange of the code; register the App again");
    expect(existsSync(join(folder, ".env"))).toBe(false);

    conversion = { status: 201, body: registeredApp() };
    expect(await get(url, setup)).toMatchObject({ status: 200 });
  });

  it("takes an App that exists", async () => {
    const url = await start({});
    const form = existing((await get(url, "/probot")).body);
    expect(await post(url, form, { origin: url, "sec-fetch-site": "same-origin" })).toMatchObject({ status: 200 });
    const read = readSettings(loadEnvironment(folder, {}), { read: String });
    expect(read).toMatchObject({ kind: "settings", settings: { appId: 42, webhookSecrets: [secrets.webhookSecret] } });
  });

  it("checks an App that exists as the server will, and shows what is wrong as text", async () => {
    const url = await start({});
    const form = { ...existing((await get(url, "/probot")).body), WEBHOOK_SECRET: "changeme", APP_ID: "<script>" };
    const { status, body } = await post(url, form, { origin: url });
    expect(status).toBe(422);
    expect(body).toContain("WEBHOOK_SECRET is one that everybody knows");
    expect(body).toContain("&lt;script&gt;");
    expect(body).not.toContain("<script>");
    expect(existsSync(join(folder, ".env"))).toBe(false);
  });

  it("cannot be made to write another setting through the form", async () => {
    const url = await start({});
    const form = { ...existing((await get(url, "/probot")).body), WEBHOOK_SECRET: `${secrets.webhookSecret}'"\`\nSANDBOX=none` };
    expect(await post(url, { ...form, HOST: "0.0.0.0" }, { origin: url })).toMatchObject({ status: 500 });
    expect(logged).toContain("WEBHOOK_SECRET cannot be written to");
    expect(logged).not.toContain(secrets.webhookSecret);
    expect(existsSync(join(folder, ".env"))).toBe(false);

    await post(url, { ...form, WEBHOOK_SECRET: `${secrets.webhookSecret}'\nSANDBOX=none`, HOST: "0.0.0.0" }, { origin: url });
    expect(loadEnvironment(folder, {})).toMatchObject({ WEBHOOK_SECRET: `${secrets.webhookSecret}'\nSANDBOX=none` });
    expect(loadEnvironment(folder, {})).not.toHaveProperty("SANDBOX");
    expect(loadEnvironment(folder, {})).not.toHaveProperty("HOST");
  });

  it("is over once there is an App", async () => {
    const url = await start({});
    const form = existing((await get(url, "/probot")).body);
    await post(url, form, { origin: url });
    const kept = readFileSync(join(folder, ".env"), "utf8");
    expect(await post(url, { ...form, APP_ID: "666" }, { origin: url })).toMatchObject({ status: 409 });
    expect(await get(url, `/probot/setup?code=abc&state=${form.state}`)).toMatchObject({ status: 409 });
    expect((await get(url, "/probot")).body).not.toContain(form.state);
    expect(readFileSync(join(folder, ".env"), "utf8")).toBe(kept);
  });

  it.each<[string, IncomingHttpHeaders]>([
    ["from another page", { origin: "https://evil.example" }],
    ["from another port", { origin: "http://127.0.0.1:1" }],
    ["from nowhere", { origin: "null" }],
    ["from another site, without an origin", { "sec-fetch-site": "cross-site" }],
    ["from another port, without an origin", { "sec-fetch-site": "same-site" }],
    ["through another name", { host: "evil.example" }],
  ])("refuses a form %s", async (_, headers) => {
    const url = await start({});
    const form = existing((await get(url, "/probot")).body);
    expect(await post(url, form, headers)).toMatchObject({ status: 403 });
    expect(existsSync(join(folder, ".env"))).toBe(false);
  });

  it("refuses a form without the page's state", async () => {
    const url = await start({});
    const { state: _, ...form } = existing((await get(url, "/probot")).body);
    expect(await post(url, form, { origin: url })).toMatchObject({ status: 403 });
  });

  it("refuses a form of 400 KB", async () => {
    const url = await start({});
    const form = { ...existing((await get(url, "/probot")).body), PRIVATE_KEY: "x".repeat(400_000) };
    expect(await post(url, form, { origin: url })).toMatchObject({ status: 413 });
    expect(await get(url, "/probot")).toMatchObject({ status: 200 });
  });

  it.each(["evil.example", "127.0.0.1.evil.example", "evil.example:3000", "192.168.1.5", "localhost@evil.example", "a b"])(
    "answers nobody who calls it %s",
    async (host) => {
      const { status, body } = await get(await start({}), "/probot", { host });
      expect({ status, shown: body.includes("manifest") }).toEqual({ status: 403, shown: false });
    },
  );

  it.each(["localhost:3000", "LOCALHOST", "[::1]:3000", "127.0.0.1"])(
    "answers by the name %s, as through ssh -L",
    async (host) => {
      const { status, body } = await get(await start({}), "/probot", { host });
      expect(status).toBe(200);
      expect(offered(body).manifest).toMatchObject({ redirect_url: `http://${host}/probot/setup` });
    },
  );

  it("sends the code nowhere else, whatever the address says", async () => {
    const url = await start({});
    const { status, body } = await get(url, "//evil.example/probot");
    expect(status).toBe(404);
    expect(body).not.toContain("evil.example");
  });

  it("listens on 127.0.0.1 alone, whatever HOST says", async () => {
    const url = await start({ HOST: "0.0.0.0", PUBLIC_URL: "https://ci.example.com" });
    expect(new URL(url).hostname).toBe("127.0.0.1");
    const elsewhere = connect(Number(new URL(url).port), "127.0.0.2");
    await expect(once(elsewhere, "connect")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("is never shown in a frame, and runs no script", async () => {
    const { headers } = await get(await start({}), "/probot");
    expect(headers["content-security-policy"]).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  });

  it("says so when its port is taken", async () => {
    const port = new URL(await start({})).port;
    await expect(start({ PORT: port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("does not open for a server that has an App", async () => {
    await expect(start({ APP_ID: "1" })).rejects.toThrow(
      "The set-up page is for a server whose settings are right and name no App",
    );
  });

  it("does not open where the credentials could not be kept, and says what to do", async () => {
    const gone = join(folder, "gone");
    await expect(startSetUp({ env: { PORT: "0" }, log: pino({ level: "silent" }), folder: gone })).rejects.toThrow(
      `could not keep the new one's credentials in ${join(gone, ".env")}: set APP_ID, PRIVATE_KEY and WEBHOOK_SECRET`,
    );
  });

  async function start(env: Record<string, string>): Promise<string> {
    const write = (line: string): void => {
      logged += line;
    };
    const log = pino({ level: "trace" }, { write });
    const page = await startSetUp({ env: { PORT: "0", ...env }, log, folder });
    open.push(page);
    return page.url;
  }

  function playSmee(): void {
    nock.activate();
    nock.disableNetConnect();
    nock.enableNetConnect("127.0.0.1");
  }

  function atGitHub() {
    return { GHE_HOST: new URL(atGitHubUrl()).host, GHE_PROTOCOL: "http" };
  }

  function atGitHubUrl(): string {
    return `http://127.0.0.1:${(gitHub.address() as AddressInfo).port}`;
  }

  /** https://docs.github.com/rest/apps/apps#create-a-github-app-from-a-manifest */
  function registeredApp() {
    return {
      id: 42,
      slug: "signalbox",
      html_url: `${atGitHubUrl()}/github-apps/signalbox`,
      client_id: "Iv1.0123",
      client_secret: secrets.clientSecret,
      webhook_secret: secrets.webhookSecret as string | null,
      pem,
    };
  }
});

describe("app.yml", () => {
  const manifest = parse(readFileSync(new URL("../app.yml", import.meta.url), "utf8"));

  it("asks for what every installation needs and no more", () => {
    expect(manifest).toMatchObject({ public: false });
    expect(manifest.default_permissions).toEqual({
      metadata: "read",
      contents: "read",
      pull_requests: "write",
      issues: "write",
      statuses: "write",
      deployments: "write",
      checks: "read",
    });
  });

  it("subscribes to no event that GitHub refuses: sent unasked, or of a permission that is not asked for", () => {
    const refused = ["installation", "installation_repositories", "merge_group", "member", "membership", "organization", "team"];
    expect(manifest.default_events.filter((event: string) => refused.includes(event))).toEqual([]);
    expect(manifest.default_events).toEqual(expect.arrayContaining(["pull_request", "push", "deployment", "deployment_status"]));
  });
});

function offered(body: string) {
  const [, action = ""] = /<form action="([^"]+)" method="post">\s*<button name="manifest"/.exec(body) ?? [];
  const [, manifest = ""] = /name="manifest" value="([^"]+)"/.exec(body) ?? [];
  const [, state = ""] = /name="state" value="([^"]+)"/.exec(body) ?? [];
  return {
    action,
    manifest: JSON.parse(manifest.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&")),
    state,
  };
}

function existing(body: string) {
  return {
    state: offered(body).state,
    APP_ID: "42",
    GITHUB_CLIENT_ID: "Iv1.0123",
    GITHUB_CLIENT_SECRET: secrets.clientSecret,
    WEBHOOK_SECRET: secrets.webhookSecret,
    // As browsers send the text of an area.
    PRIVATE_KEY: pem.replaceAll("\n", "\r\n"),
  };
}

function get(url: string, path: string, headers: IncomingHttpHeaders = {}) {
  return send(url, "GET", path, headers, "");
}

function post(url: string, form: Record<string, string>, headers: IncomingHttpHeaders) {
  const type = { "content-type": "application/x-www-form-urlencoded" };
  return send(url, "POST", "/probot/import", { ...type, ...headers }, new URLSearchParams(form).toString());
}

/** Not `fetch`, which sets the headers that browsers set. */
async function send(url: string, method: string, path: string, headers: IncomingHttpHeaders, text: string) {
  const { hostname, port } = new URL(url);
  const sent = request({ hostname, port, path, method, headers }).end(text);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += chunk;
  return { status: response.statusCode, headers: response.headers, body };
}
