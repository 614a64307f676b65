import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { parseRepositoryFile } from "../../src/repository-file/parse.ts";
import { known } from "./known.ts";
import { accepted, says } from "./says.ts";

describe("a repository's file that is right", () => {
  it.each(["", "# nothing yet\n", "---\n", "~", "{}", "\uFEFF"])("%j asks for nothing", (text) => {
    expect(accepted(text)).toEqual({ checks: {}, environments: {}, automerge: null, notify: [] });
  });

  it("gets every default", () => {
    expect(
      accepted("checks: { test: { run: npm test } }\nenvironments: { live: { target: command, with: { run: ./go } } }"),
    ).toEqual({
      checks: {
        test: {
          runner: "local",
          with: {},
          steps: [{ name: null, run: "npm test" }],
          timeout: 1_800_000,
          paths: null,
          env: {},
          cache: [],
          image: null,
        },
      },
      environments: {
        live: {
          trigger: "manual",
          branch: null,
          after: null,
          target: "command",
          with: { run: "./go" },
          build: null,
          timeout: 1_800_000,
          url: null,
          requireChecks: { kind: "all" },
          approvals: null,
          freeze: [],
          health: null,
          rollback: "manual",
          paths: null,
          ttl: null,
          quota: 20,
        },
      },
      automerge: null,
      notify: [],
    });
  });

  it("says everything that a check can say", () => {
    const file = accepted(`
checks:
  test:
    runner: local
    run:
      - { name: install, run: npm ci }
      - name: test
        run: |
          npm test
          echo {{ sha }} is left to the shell
    timeout: 90s
    paths: ["src/**", "!src/docs/**"]
    env: { NODE_ENV: test, CI: true, VERSION: 1.10, MODE: 0o755, EMPTY: "" }
    cache: [~/.npm, node_modules/, ~/.cache/pip]
    image: ghcr.io/acme/ci:1
`);
    expect(file.checks.test).toEqual({
      runner: "local",
      with: {},
      steps: [
        { name: "install", run: "npm ci" },
        { name: "test", run: "npm test\necho {{ sha }} is left to the shell\n" },
      ],
      timeout: 90_000,
      paths: ["src/**", "!src/docs/**"],
      env: { NODE_ENV: "test", CI: "true", VERSION: "1.10", MODE: "0o755", EMPTY: "" },
      cache: ["~/.npm", "node_modules", "~/.cache/pip"],
      image: "ghcr.io/acme/ci:1",
    });
  });

  it.each([
    ["node", "docker.io/library/node:latest"],
    ["node:24-slim", "docker.io/library/node:24-slim"],
    ["acme/ci", "docker.io/acme/ci:latest"],
    ["localhost/ci", "localhost/ci:latest"],
    ["registry.example.com:5000/a/b:1", "registry.example.com:5000/a/b:1"],
    [`node:24@sha256:${"ab".repeat(32)}`, `docker.io/library/node@sha256:${"ab".repeat(32)}`],
  ])("calls the image %s by its whole name", (name, whole) => {
    expect(accepted(`checks: { test: { run: a, image: "${name}" } }`).checks.test?.image).toBe(whole);
  });

  it("says everything that an environment can say", () => {
    const file = accepted(`
checks: { test: { run: npm test } }
environments:
  staging: { target: command, with: { run: ./go } }
  production:
    trigger: push
    branch: release/2.x
    after: staging
    target: directory
    with: { path: "{{ repository.name }}/{{ environment }}", keep: 3 }
    build: npm run build
    timeout: 2h
    url: https://{{ short_sha }}.example.com
    require_checks: [test, codecov/patch]
    approvals: { count: 2, users: [octocat], teams: [release] }
    freeze:
      - { days: [fri], from: "16:00", to: "23:59", timezone: Europe/Berlin, reason: No Friday deploys }
      - { from: 22:00, to: 06:00 }
      - { days: [sat, sun] }
    health: { url: "https://{{ short_sha }}.example.com/healthz", within: 90s, expect: "{{ sha }}" }
    rollback: automatic
    paths: ["web/**"]
`);
    expect(file.environments.production).toEqual({
      trigger: "push",
      branch: "release/2.x",
      after: "staging",
      target: "directory",
      with: { path: "{{ repository.name }}/{{ environment }}", keep: 3 },
      build: "npm run build",
      timeout: 7_200_000,
      url: "https://{{ short_sha }}.example.com",
      requireChecks: { kind: "these", names: ["test", "codecov/patch"] },
      approvals: { count: 2, users: ["octocat"], teams: ["release"] },
      freeze: [
        {
          days: ["fri"],
          from: 16 * 60,
          to: 24 * 60,
          timezone: "Europe/Berlin",
          reason: "No Friday deploys",
        },
        { days: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"], from: 22 * 60, to: 6 * 60, timezone: "UTC", reason: "" },
        { days: ["sat", "sun"], from: 0, to: 24 * 60, timezone: "UTC", reason: "" },
      ],
      health: { url: "https://{{ short_sha }}.example.com/healthz", within: 90_000, expect: "{{ sha }}" },
      rollback: "automatic",
      paths: ["web/**"],
      ttl: null,
      quota: 20,
    });
  });

  it("says everything that previews can say", () => {
    const options =
      "{ trigger: pull_request, branch: main, target: directory, with: { path: '{{ environment }}' }, ttl: 7d, quota: 5 }";
    expect(accepted(`environments: { preview: ${options} }`).environments.preview).toMatchObject({
      trigger: "pull_request",
      branch: "main",
      with: { path: "{{ environment }}" },
      ttl: 7 * 24 * 3_600_000,
      quota: 5,
    });
  });

  it.each([
    ["all", { kind: "all" }],
    ["none", { kind: "none" }],
  ])("reads require_checks: %s", (text, requireChecks) => {
    const file = accepted(`environments: { live: { target: command, with: { run: x }, require_checks: ${text} } }`);
    expect(file.environments.live?.requireChecks).toEqual(requireChecks);
  });

  it.each([
    ["1s", 1_000],
    ["15m", 900_000],
    ["2h", 7_200_000],
  ])("reads the duration %s", (text, timeout) => {
    expect(accepted(`checks: { test: { run: a, timeout: ${text} } }`).checks.test?.timeout).toBe(timeout);
  });

  it("has no time-out longer than the server's, also without saying one", () => {
    const file = accepted("checks: { test: { run: a } }", { ...known, maxTimeout: 600_000 });
    expect(file.checks.test?.timeout).toBe(600_000);
  });

  it("may use anchors, aliases and merge keys", () => {
    const file = accepted(
      "checks:\n  a: &usual { run: npm test, timeout: 5m, env: { X: 1.0 } }\n  b: { <<: *usual, timeout: 6m }\n  c: *usual",
    );
    expect(file.checks.b).toEqual({ ...file.checks.a, timeout: 360_000 });
    expect(file.checks.c).toEqual(file.checks.a);
    expect(file.checks.c?.env).toEqual({ X: "1.0" });
  });

  it("can be asked for any name, also for one that every object has", () => {
    const { checks, environments } = accepted("checks: { toLocaleString: { run: a } }");
    expect(checks.toLocaleString).toMatchObject({ steps: [{ name: null, run: "a" }] });
    expect([checks.constructor, environments.hasOwnProperty, environments.valueOf]).toEqual([undefined, undefined, undefined]);
  });

  it("takes another runner as soon as the server has it, with the options of that runner", () => {
    const jenkins = {
      ...known,
      runners: new Map<string, z.ZodType>([...known.runners, ["jenkins", z.strictObject({ app: z.string(), key: z.string() })]]),
    };
    expect(accepted("checks: { e2e: { runner: jenkins, with: { app: a, key: K } } }", jenkins).checks.e2e).toMatchObject({
      runner: "jenkins",
      with: { app: "a", key: "K" },
      steps: [],
    });
    expect(says("checks: { e2e: { runner: jenkins, run: a, with: { app: a } } }", jenkins)).toEqual([
      "checks.e2e.run: is only for the runner local; remove it",
      "checks.e2e.with.key: is missing; it must be text",
    ]);
  });
});

describe("the line of a mistake", () => {
  it.each([
    ["of a wrong value", "checks:\n  test:\n    run: a\n    timeout: soon", 4],
    ["of an unknown key", "checks:\n  test:\n    run: a\n\n    tiemout: 5m", 5],
    ["of what lacks a key", "checks:\n  lint: { run: a }\n  test:\n    timeout: 5m", 3],
    ["of an entry in a list", "checks:\n  test:\n    run: a\n    paths:\n      - a\n      - b/", 6],
    ["of broken YAML", "checks:\n  test:\n    run: 'a", 3],
    ["of what an alias brought along", "checks:\n  a: &a\n    run: ''\n  b: *a", 3],
  ])("%s", (_, text, line) => {
    expect(parseRepositoryFile(text, known)).toMatchObject({
      mistakes: expect.arrayContaining([expect.objectContaining({ line })]),
    });
  });

  it("is missing for the file as a whole", () => {
    expect(parseRepositoryFile("- a", known)).toEqual({
      kind: "mistakes",
      mistakes: [{ path: "", problem: "the file must be a mapping with the keys checks and environments, not a list" }],
    });
  });

  it("orders the mistakes, whoever found them", () => {
    expect(
      says(
        "environments:\n  a: { target: command, with: { run: x }, after: b }\n  c: { target: shh }\nchecks:\n  Test: { run: a }\n  test: { run: 5 }",
      ),
    ).toEqual([
      'environments.a.after: "b" is not an environment of this file; did you mean "a"?',
      'environments.c.target: "shh" is not a target; did you mean "ssh"?',
      "checks.test.run: must be text or a list, not a number",
      'checks.test: is "Test" but for capital letters, which GitHub does not tell apart',
    ]);
  });
});

describe("many mistakes", () => {
  it("are at most twenty, and the number of the others", () => {
    const keys = Array.from({ length: 45 }, (_, at) => `unknown_${at}: 1`).join("\n");
    const told = says(keys);
    expect(told).toHaveLength(21);
    expect(told[0]).toBe("unknown_0: is not a key here; known: checks, environments, automerge and notify");
    expect(told[20]).toBe("and 25 more");
  });

  it("are all there when they are twenty", () => {
    expect(says(Array.from({ length: 20 }, (_, at) => `unknown_${at}: 1`).join("\n"))).toHaveLength(20);
  });

  it("are told once each, though an alias repeats them", () => {
    expect(says("checks: { a: { run: a, env: &e { X: [] } } }\nenvironments: *e")).toEqual([
      "checks.a.env.X: must be text, a number or true or false, not a list",
      "environments.X: must be a mapping, not a list",
    ]);
  });
});
