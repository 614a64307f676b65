import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { envExample } from "../scripts/generate/env-example.ts";
import { matchesRepository, repositoryPattern } from "../src/settings/repository-pattern.ts";
import { loadEnvironment, readSettings, type Settings } from "../src/settings.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const pem = pemOf(rsa);
const pkcs1 = rsa.export({ type: "pkcs1", format: "pem" }).toString();
const elliptic = pemOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
const secret = "9f2c1b7e4a5d6038c1f2";
const registered = {
  APP_ID: "7",
  PRIVATE_KEY: pem,
  WEBHOOK_SECRET: secret,
  GITHUB_CLIENT_ID: "Iv23abc",
  GITHUB_CLIENT_SECRET: "0123456789abcdef",
};

describe("the server's settings", () => {
  it("have their documented defaults", () => {
    expect(settings({})).toEqual({
      host: "127.0.0.1",
      port: 3000,
      publicUrl: "http://127.0.0.1:3000",
      github: { web: "https://github.com", api: "https://api.github.com" },
      webhookProxyUrl: null,
      log: { level: "info", format: "pretty" },
      appId: 7,
      privateKey: pem,
      webhookSecrets: [secret],
      dataDir: "/srv/signalbox/data",
      databaseUrl: null,
      metricsToken: null,
      role: "all",
      secretKey: null,
      dashboardAuth: { kind: "github", clientId: "Iv23abc", clientSecret: "0123456789abcdef" },
      allowedRepositories: null,
      publicLogs: [],
      deployPaths: [],
      toolsPaths: [],
      outboundAllow: [],
      sandbox: "bubblewrap",
      plugins: [],
      contextPrefix: "signalbox",
      showChecksAs: "statuses",
      traces: null,
      concurrency: availableParallelism(),
      maxTimeout: 2 * 60 * 60 * 1000,
      maxLogSize: 64 * 1024 * 1024,
      logRetention: 90 * 24 * 60 * 60 * 1000,
      historyRetention: 365 * 24 * 60 * 60 * 1000,
    } satisfies Settings);
  });

  it.each<[name: string, text: string, expected: Partial<Settings>]>([
    ["PUBLIC_URL", "https://CI.example.com/", { publicUrl: "https://ci.example.com" }],
    ["HOST", "::1", { host: "::1", publicUrl: "http://[::1]:3000" }],
    ["HOST", "[::1]", { host: "::1", publicUrl: "http://[::1]:3000" }],
    ["PORT", "8080", { port: 8080, publicUrl: "http://127.0.0.1:8080" }],
    ["PORT", " 8080 ", { port: 8080, publicUrl: "http://127.0.0.1:8080" }],
    ["PORT", "", { port: 3000 }],
    [
      "GHE_HOST",
      "git.acme.test:8443",
      { github: { web: "https://git.acme.test:8443", api: "https://git.acme.test:8443/api/v3" } },
    ],
    ["GHE_HOST", "acme.ghe.com", { github: { web: "https://acme.ghe.com", api: "https://api.acme.ghe.com" } }],
    ["GHE_HOST", "github.com", { github: { web: "https://github.com", api: "https://api.github.com" } }],
    ["WEBHOOK_PROXY_URL", "https://smee.io/abc", { webhookProxyUrl: "https://smee.io/abc" }],
    ["WEBHOOK_SECRET_PREVIOUS", "aa4c1b7e4a5d6038c1f2", { webhookSecrets: [secret, "aa4c1b7e4a5d6038c1f2"] }],
    ["DATA_DIR", "/var/lib/signalbox", { dataDir: "/var/lib/signalbox" }],
    ["DATABASE_URL", "postgres://me:pw@db/signalbox", { databaseUrl: "postgres://me:pw@db/signalbox" }],
    ["ALLOWED_REPOSITORIES", "Acme/*, octo/shop", { allowedRepositories: ["acme/*", "octo/shop"].map(repositoryPattern) }],
    [
      "DEPLOY_PATHS",
      "acme/*=/srv/./sites//",
      { deployPaths: [{ repository: repositoryPattern("acme/*"), folder: "/srv/sites" }] },
    ],
    ["TOOLS_PATHS", "/opt/node/,/opt/go", { toolsPaths: ["/opt/node", "/opt/go"] }],
    ["OUTBOUND_ALLOW", "[::1]:80", { outboundAllow: [{ host: "::1", port: 80 }] }],
    ["OUTBOUND_ALLOW", "localhost:81,169.254.1.1", { outboundAllow: [at("localhost", 81), at("169.254.1.1", null)] }],
    ["SECRET_KEY", "AB".repeat(32), { secretKey: new Uint8Array(32).fill(0xab) }],
    ["SANDBOX", "none", { sandbox: "none" }],
    ["CONTEXT_PREFIX", "box-2", { contextPrefix: "box-2" }],
    ["SHOW_CHECKS_AS", "check-runs", { showChecksAs: "check-runs" }],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/", { traces: { endpoint: "http://localhost:4318", headers: {} } }],
    ["PLUGINS", "signalbox-target-x, @acme/target", { plugins: ["signalbox-target-x", "@acme/target"] }],
    ["CONCURRENCY", "3", { concurrency: 3 }],
    ["MAX_TIMEOUT", "90s", { maxTimeout: 90_000 }],
    ["MAX_LOG_SIZE", "1GB", { maxLogSize: 1024 ** 3 }],
    ["LOG_RETENTION", "15m", { logRetention: 900_000 }],
    ["LOG_FORMAT", "json", { log: { level: "info", format: "json" } }],
    ["NODE_ENV", "production", { log: { level: "info", format: "json" } }],
    ["DASHBOARD_AUTH", "none", { dashboardAuth: { kind: "none" } }],
  ])("%s=%s is read", (name, text, expected) => {
    expect(settings({ [name]: text })).toMatchObject(expected);
  });

  it.each([
    ["with line breaks written out", pem.replaceAll("\n", "\\n")],
    ["with quotes around it", `"${pem.replaceAll("\n", "\\n")}"`],
    ["in base64", Buffer.from(pem).toString("base64")],
    ["as PKCS #1, which GitHub gives out", pkcs1],
  ])("take a private key %s", (_, text) => {
    expect(settings({ PRIVATE_KEY: text }).privateKey).toBe(pem);
  });

  it("refuse a private key that is not RSA", () => {
    expect(problems({ PRIVATE_KEY: elliptic })).toEqual([expect.stringContaining("PRIVATE_KEY is not an RSA key; download")]);
  });

  it("take the protocol of GitHub Enterprise from GHE_PROTOCOL", () => {
    const { github } = settings({ GHE_HOST: "127.0.0.1:4000", GHE_PROTOCOL: "http" });
    expect(github).toEqual({ web: "http://127.0.0.1:4000", api: "http://127.0.0.1:4000/api/v3" });
  });

  it.each<[setting: string, problem: string]>([
    ["APP_ID=", "APP_ID is missing; copy it from the App's settings page on GitHub"],
    ["APP_ID=me", 'APP_ID: "me" is not a whole number from 1 to 999999999999'],
    ["PRIVATE_KEY=", "PRIVATE_KEY is missing; download one from"],
    ["PRIVATE_KEY=hunter2", "PRIVATE_KEY is not a private key in PEM format"],
    ["WEBHOOK_SECRET=", "WEBHOOK_SECRET is missing; make one with"],
    ["WEBHOOK_SECRET=hunter2", "WEBHOOK_SECRET is shorter than 16 characters"],
    ["WEBHOOK_SECRET=development", "WEBHOOK_SECRET is one that everybody knows"],
    ["WEBHOOK_SECRET=Your-Webhook-Secret-Here", "WEBHOOK_SECRET is one that everybody knows"],
    ["WEBHOOK_SECRET=xxxxxxxxxxxxxxxxxxxx", "WEBHOOK_SECRET is one that everybody knows"],
    ["WEBHOOK_SECRET_PREVIOUS=secret", "WEBHOOK_SECRET_PREVIOUS is one that everybody knows"],
    ["GITHUB_CLIENT_ID=", "GITHUB_CLIENT_ID is missing; copy it from the App's settings page, or set DASHBOARD_AUTH=none"],
    ["GITHUB_CLIENT_SECRET=", "GITHUB_CLIENT_SECRET is missing; copy it"],
    ["GITHUB_CLIENT_SECRET=hunter2 hunter2", "GITHUB_CLIENT_SECRET has characters that GitHub never uses"],
    ["PUBLIC_URL=ci.example.com", 'PUBLIC_URL: "ci.example.com" is not an address'],
    ["PUBLIC_URL=ftp://ci.example.com", 'PUBLIC_URL: "ftp://ci.example.com" is not an address'],
    ["PUBLIC_URL=https://x.test/ci", 'PUBLIC_URL: "https://x.test/ci" has a path'],
    ["PUBLIC_URL=https://me:hunter2@x.test", "PUBLIC_URL has a user or password in it"],
    ["PUBLIC_URL=https://x.test?a=b", 'PUBLIC_URL: "https://x.test?a=b" has a query'],
    ["HOST=http://localhost", 'HOST: "http://localhost" is not a host'],
    ["HOST=0.0.0.0", "PUBLIC_URL is missing: nobody can open http://0.0.0.0:3000"],
    ["HOST=::", "PUBLIC_URL is missing: nobody can open http://[::]:3000"],
    ["PORT=65536", 'PORT: "65536" is not a whole number from 0 to 65535'],
    ["PORT=3e3", 'PORT: "3e3" is not a whole number'],
    ["GHE_HOST=https://git.acme.test", 'GHE_HOST: "https://git.acme.test" is not a host; write it without protocol'],
    ["GHE_HOST=git.acme.test:99999", 'GHE_HOST: "git.acme.test:99999" is not a host'],
    ["GHE_PROTOCOL=ssh", 'GHE_PROTOCOL: "ssh" is not known; write "https" or "http"'],
    ["DATABASE_URL=mysql://me:hunter2@db/x", "DATABASE_URL is not the address of a PostgreSQL database"],
    ["ROLE=web", "ROLE: web needs PostgreSQL; set DATABASE_URL"],
    ["ROLE=boss", 'ROLE: "boss" is not known; write "all", "web" or "worker"'],
    ["ALLOWED_REPOSITORIES=acme", 'ALLOWED_REPOSITORIES: "acme" is not a repository'],
    ["ALLOWED_REPOSITORIES=acme/shop,,octo/shop", "ALLOWED_REPOSITORIES has an empty part"],
    ["DEPLOY_PATHS=acme/shop", 'DEPLOY_PATHS: "acme/shop" has no "="'],
    ["DEPLOY_PATHS=acme/shop=srv", 'DEPLOY_PATHS: "srv" is not absolute'],
    ["DEPLOY_PATHS=acme/shop=/srv/..", 'DEPLOY_PATHS: "/srv/.." is the root'],
    ["DEPLOY_PATHS=acme/shop=/srv", 'DEPLOY_PATHS and TOOLS_PATHS: "/srv" overlaps DATA_DIR ("/srv/signalbox/data")'],
    ["TOOLS_PATHS=/", 'TOOLS_PATHS: "/" is the root'],
    ["TOOLS_PATHS=/srv/signalbox/data/tools", 'DEPLOY_PATHS and TOOLS_PATHS: "/srv/signalbox/data/tools" overlaps'],
    ["OUTBOUND_ALLOW=10.0.0.1", 'OUTBOUND_ALLOW: "10.0.0.1" is not a loopback or link-local address'],
    ["OUTBOUND_ALLOW=0.0.0.0", 'OUTBOUND_ALLOW: "0.0.0.0" is not a loopback'],
    ["OUTBOUND_ALLOW=127.0.0.1:70000", 'OUTBOUND_ALLOW: "127.0.0.1:70000" has a port above 65535'],
    ["SANDBOX=docker", 'SANDBOX: "docker" is not known'],
    ["SECRET_KEY=hunter2", "SECRET_KEY is not 64 hexadecimal digits"],
    ["CONTEXT_PREFIX=a/b", 'CONTEXT_PREFIX: "a/b" cannot be used'],
    ["CONCURRENCY=0", 'CONCURRENCY: "0" is not a whole number from 1'],
    ["MAX_TIMEOUT=0s", 'MAX_TIMEOUT: "0s" is not a duration'],
    ["MAX_TIMEOUT=2", 'MAX_TIMEOUT: "2" is not a duration; write a number and s, m, h or d'],
    ["MAX_TIMEOUT=25d", 'MAX_TIMEOUT: "25d" is too long; the most is "24d"'],
    ["MAX_LOG_SIZE=64", 'MAX_LOG_SIZE: "64" is not a size'],
    ["LOG_LEVEL=loud", 'LOG_LEVEL: "loud" is not known'],
    ["PLUGINS=signalbox-target-x,../mine", 'PLUGINS: "../mine" is not the name of an npm package'],
    ["OTEL_EXPORTER_OTLP_HEADERS=api-key", "OTEL_EXPORTER_OTLP_HEADERS is no list of headers"],
    ["OTEL_EXPORTER_OTLP_HEADERS=api-key=%zz", "OTEL_EXPORTER_OTLP_HEADERS is no list of headers"],
  ])("%s is refused", (setting, problem) => {
    const [name = ""] = setting.split("=", 1);
    const found = problems({ [name]: setting.slice(name.length + 1) });
    expect(found).toEqual([expect.stringContaining(problem)]);
    expect(found.join()).not.toContain("hunter2");
    expect(found.join()).not.toContain("\n");
  });

  it("report every problem at once", () => {
    expect(problems({ APP_ID: "", PORT: "http", ROLE: "worker", WEBHOOK_SECRET: "changeme" })).toHaveLength(4);
  });

  it.each([
    [{ HOST: "127.0.0.1", PUBLIC_URL: "https://ci.example.com" }],
    [{ HOST: "0.0.0.0", PUBLIC_URL: "http://localhost:3000" }],
    [{ HOST: "192.168.1.5" }],
    [{ HOST: "localhost.example.com" }],
  ])("refuse pages without sign-in for %j, which others can reach", (env) => {
    expect(problems({ ...env, DASHBOARD_AUTH: "none" })).toEqual([expect.stringContaining("DASHBOARD_AUTH: none is refused")]);
  });

  it.each([[{ HOST: "localhost" }], [{ HOST: "::1" }], [{ HOST: "127.0.0.9", PUBLIC_URL: "http://box.localhost:3000" }]])(
    "allow pages without sign-in and without a client for %j",
    (env) => {
      const read = { ...env, DASHBOARD_AUTH: "none", GITHUB_CLIENT_ID: "", GITHUB_CLIENT_SECRET: "" };
      expect(settings(read).dashboardAuth).toEqual({ kind: "none" });
    },
  );
});

describe("secrets in files", () => {
  it.each(["PRIVATE_KEY_FILE", "PRIVATE_KEY_PATH"])("%s names the private key, relative to the folder", (name) => {
    expect(settings({ PRIVATE_KEY: undefined, [name]: "keys/app.pem" }, { "/srv/signalbox/keys/app.pem": pem }).privateKey).toBe(
      pem,
    );
  });

  it("lose the line break at their end", () => {
    const read = settings({ WEBHOOK_SECRET: undefined, WEBHOOK_SECRET_FILE: "/run/secret" }, { "/run/secret": `${secret}\n` });
    expect(read.webhookSecrets).toEqual([secret]);
  });

  it("are refused beside the setting itself", () => {
    expect(problems({ WEBHOOK_SECRET_FILE: "/run/secret" })).toEqual([
      "WEBHOOK_SECRET and WEBHOOK_SECRET_FILE are both set; leave one of them out",
    ]);
  });

  it("are refused when the file cannot be read, naming it", () => {
    expect(problems({ SECRET_KEY_FILE: "/run/none" })).toEqual([
      expect.stringContaining('SECRET_KEY_FILE: "/run/none" cannot be read (ENOENT); correct the path'),
    ]);
  });

  it("are refused when they are wrong, naming both and quoting neither", () => {
    expect(problems({ SECRET_KEY_FILE: "/run/key" }, { "/run/key": "hunter2" })).toEqual([
      'SECRET_KEY (in the file that SECRET_KEY_FILE names) is not 64 hexadecimal digits; make it with "openssl rand -hex 32"',
    ]);
  });

  it("are refused when they are empty", () => {
    expect(problems({ SECRET_KEY_FILE: "/run/key" }, { "/run/key": "\n" })).toEqual([
      "SECRET_KEY (in the file that SECRET_KEY_FILE names) is empty; fill it",
    ]);
  });
});

describe("without an App", () => {
  it("the set-up page is wanted, with what is known", () => {
    const env = { PUBLIC_URL: "https://ci.example.com", HOST: "0.0.0.0", APP_ID: "" };
    expect(readSettings(env, files({}))).toMatchObject({
      kind: "unregistered",
      ground: { publicUrl: "https://ci.example.com", port: 3000 },
    });
  });

  it.each(["APP_ID", "PRIVATE_KEY_PATH", "PRIVATE_KEY_FILE", "WEBHOOK_SECRET", "WEBHOOK_SECRET_FILE"])(
    "%s alone says that there is one, and what is missing is named",
    (name) => {
      expect(readSettings({ [name]: "1" }, files({})).kind).toBe("problems");
    },
  );

  it("other problems come first", () => {
    expect(readSettings({ PORT: "x" }, files({}))).toMatchObject({
      kind: "problems",
      problems: [expect.stringContaining("PORT")],
    });
  });
});

describe("warnings", () => {
  it.each([
    ["ALLOWED_REPOSITORY", "ALLOWED_REPOSITORY is not a setting; did you mean ALLOWED_REPOSITORIES?"],
    ["WEBHOOKS_SECRET", "WEBHOOKS_SECRET is not a setting; did you mean WEBHOOK_SECRET?"],
    ["PUBLIC_URI", "PUBLIC_URI is not a setting; did you mean PUBLIC_URL?"],
    ["PORT_FILE", "PORT_FILE has no effect: only secrets can come from a file; set PORT"],
    ["SANDBOX", "SANDBOX=none: checks run with the server's own rights, and pull requests from forks never run"],
  ])("point at %s", (name, warning) => {
    expect(readSettings({ ...registered, [name]: "none" }, files({})).warnings).toEqual([warning]);
  });

  it.each(["PATH", "HOME", "HOSTNAME", "PORTS", "NODE_ENV", "LOGNAME", "DATABASE_NAME", "npm_config_host"])(
    "leave %s alone",
    (name) => {
      expect(readSettings({ ...registered, [name]: "x" }, files({})).warnings).toEqual([]);
    },
  );

  it.each<[Record<string, string>, string]>([
    [{ ALLOWED_REPOSITORIES: "*/*" }, "everybody who installs the App"],
    [{ PUBLIC_URL: "http://ci.example.com" }, "keep nobody signed in"],
  ])("say what %j means", (env, warning) => {
    expect(readSettings({ ...registered, ...env }, files({})).warnings).toEqual([expect.stringContaining(warning)]);
  });
});

describe("a pattern of repositories", () => {
  it.each([
    ["acme/*", "acme/shop", true],
    ["acme/*", "ACME/Shop", true],
    ["Acme/shop", "acme/shop", true],
    ["acme/shop", "acme/shop2", false],
    ["acme/*", "acme-evil/shop", false],
    ["acme/web-*", "acme/web-", true],
    ["acme/a.b", "acme/axb", false],
    ["*/shop", "acme/x/shop", false],
  ])("%s and %s: %s", (pattern, repository, expected) => {
    expect(matchesRepository(repositoryPattern(pattern), repository)).toBe(expected);
  });
});

describe("the .env file", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "signalbox-settings-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("adds to the real environment, which wins", () => {
    writeFileSync(join(folder, ".env"), 'PORT=1\nHOST=localhost # here\nWEBHOOK_SECRET="a\\nb"\n');
    expect(loadEnvironment(folder, { PORT: "2", PATH: "/bin" })).toEqual({
      PORT: "2",
      HOST: "localhost",
      WEBHOOK_SECRET: "a\nb",
      PATH: "/bin",
    });
  });

  it("may be absent", () => {
    expect(loadEnvironment(folder, { PORT: "2" })).toEqual({ PORT: "2" });
  });

  it("names itself when it cannot be read", () => {
    expect(() => loadEnvironment("/dev/null", {})).toThrow("The settings in /dev/null/.env cannot be read");
  });
});

describe(".env.example", () => {
  it("is what its generator makes", () => {
    expect(readFileSync(new URL("../.env.example", import.meta.url), "utf8")).toBe(envExample());
  });

  it("changes nothing when it is copied", () => {
    expect(parseEnv(envExample())).toEqual({});
  });

  it("shows values that the server takes", () => {
    const shown = parseEnv(envExample().replaceAll(/^# (?=[A-Z_]+=)/gm, ""));
    expect(Object.keys(shown).length).toBeGreaterThan(30);
    expect(readSettings({ ...shown, ...registered, PRIVATE_KEY_PATH: "" }, files({})).kind).toBe("settings");
  });

  it("has no secret in it", () => {
    expect(envExample()).toContain("\n# WEBHOOK_SECRET=\n");
    expect(envExample()).toContain("\n# PRIVATE_KEY=\n");
  });
});

function settings(env: Record<string, string | undefined>, held: Record<string, string> = {}): Settings {
  const read = readSettings({ ...registered, ...env }, files(held));
  if (read.kind !== "settings") throw new Error(JSON.stringify(read));
  return read.settings;
}

function problems(env: Record<string, string | undefined>, held: Record<string, string> = {}): readonly string[] {
  const read = readSettings({ ...registered, ...env }, files(held));
  return read.kind === "problems" ? read.problems : [];
}

function files(held: Record<string, string>) {
  return {
    folder: "/srv/signalbox",
    read(path: string): string {
      const text = held[path];
      if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: "ENOENT" });
      return text;
    },
  };
}

function at(host: string, port: number | null) {
  return { host, port };
}

function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
