import { describe, expect, it } from "@jest/globals";
import { says, saysOfCheck, saysOfEnvironment } from "./says.ts";

const target = "target: directory, with: { path: web }";
const preview = "trigger: pull_request, target: directory, with: { path: 'pr-{{ pull_request.number }}' }";

describe("what is said about a check", () => {
  it.each([
    ["npm test", "checks.test: must be a mapping, not text"],
    ["", "checks.test: is empty; it must be a mapping"],
    ["{}", "checks.test.run: is missing; it must be text or a list"],
    ["{ run: }", "checks.test.run: is empty; it must be text or a list"],
    ["{ run: '' }", "checks.test.run: is empty; write a command"],
    ["{ run: 5 }", "checks.test.run: must be text or a list, not a number"],
    ["{ run: {} }", "checks.test.run: must be text or a list, not a mapping"],
    ["{ run: [] }", "checks.test.run: is empty; at least 1 entry"],
    ["{ run: [npm test] }", "checks.test.run[0]: must be a mapping, not text"],
    ["{ run: [{ name: a }] }", "checks.test.run[0].run: is missing; it must be text"],
    ["{ run: [{ nmae: a, name: b, run: c }] }", 'checks.test.run[0].nmae: is not a key here; did you mean "name"?'],
    ['{ run: [{ name: "a\\nb", run: c }] }', "checks.test.run[0].name: must be one line without spaces around it"],
    ["{ run: a, run: b }", "checks.test.run: is there twice"],
    ["{ run: a, tmeout: 5m }", 'checks.test.tmeout: is not a key here; did you mean "timeout"?'],
    ["{ run: a, Timeout: 5m }", 'checks.test.Timeout: is not a key here; did you mean "timeout"?'],
    [
      "{ run: a, stages: 1 }",
      "checks.test.stages: is not a key here; known: run, runner, with, timeout, paths, env, cache and image",
    ],
    ["{ run: a, cahce: [x] }", 'checks.test.cahce: is not a key here; did you mean "cache"?'],
    ["{ run: a, cache: ~/.npm }", "checks.test.cache: must be a list, not text"],
    ["{ run: a, cache: [] }", "checks.test.cache: is empty; at least 1 entry"],
    [
      "{ run: a, cache: [/var/cache] }",
      'checks.test.cache[0]: "/var/cache" must be below ~ or in the repository: start it with ~/, or without /',
    ],
    ["{ run: a, cache: [~root/.npm] }", 'checks.test.cache[0]: "~root/.npm" is the HOME of somebody else; write ~/ and a folder'],
    ["{ run: a, cache: [~/] }", 'checks.test.cache[0]: "~/" is all of it; name a folder in it'],
    ["{ run: a, cache: [x/../../y] }", 'checks.test.cache[0]: "x/../../y" must have no empty part, . or .. in it'],
    ["{ run: a, cache: [~/../y] }", 'checks.test.cache[0]: "~/../y" must have no empty part, . or .. in it'],
    ["{ run: a, cache: [a//b] }", 'checks.test.cache[0]: "a//b" must have no empty part, . or .. in it'],
    ["{ run: a, cache: [$HOME/x] }", 'checks.test.cache[0]: "$HOME/x" must be one folder, without *, ? and $'],
    ["{ run: a, cache: [.Git/hooks] }", 'checks.test.cache[0]: ".Git/hooks" is git\'s own; name another folder'],
    ["{ run: a, image: }", "checks.test.image: is empty; it must be text"],
    ...["Node", "node:", "a b", "--help", "ghcr.io//x", "node@sha256:12", "../x", "a/b:c/d", "-x.io/a"].map(
      (name): [string, string] => [
        `{ run: a, image: "${name}" }`,
        `checks.test.image: "${name}" is not the name of an image; write one like node:24 or ghcr.io/acme/ci:1`,
      ],
    ),
    ["{ runner: travis }", 'checks.test.runner: "travis" is not available yet in this version of Signalbox; use local'],
    ["{ run: a, runner: loacl }", 'checks.test.runner: "loacl" is not a runner; did you mean "local"?'],
    ["{ run: a, runner: [local] }", "checks.test.runner: must be local, not a list"],
    ["{ run: a, with: {} }", "checks.test.with: is not for the runner local; remove it"],
    ["{ run: a, timeout: 15 }", "checks.test.timeout: must be a duration such as 15m, not a number"],
    [
      "{ run: a, timeout: 15 minutes }",
      'checks.test.timeout: "15 minutes" is not a duration; write a number and s, m, h or d, such as 90s, 15m or 2h',
    ],
    [
      "{ run: a, timeout: 0s }",
      'checks.test.timeout: "0s" is not a duration; write a number and s, m, h or d, such as 90s, 15m or 2h',
    ],
    ["{ run: a, timeout: 121m }", "checks.test.timeout: is 121m; at most 2h (the server's MAX_TIMEOUT)"],
    ["{ run: a, paths: src/** }", "checks.test.paths: must be a list, not text"],
    ["{ run: a, paths: [] }", "checks.test.paths: is empty; at least 1 entry"],
    ["{ run: a, paths: [1] }", "checks.test.paths[0]: must be text, not a number; put it in quotes"],
    ['{ run: a, paths: ["!docs/**"] }', "checks.test.paths: has only patterns that exclude; add one that does not"],
    [
      '{ run: a, paths: ["!"] }',
      'checks.test.paths[0]: "!" has no pattern',
      "checks.test.paths: has only patterns that exclude; add one that does not",
    ],
    ["{ run: a, paths: [src/] }", 'checks.test.paths[0]: "src/" names a folder; end it with /** for the files in it'],
    ["{ run: a, paths: [/src] }", 'checks.test.paths[0]: "/src" must start at the top folder of the repository, without / or ./'],
    ['{ run: a, paths: ["*.{js,ts}"] }', 'checks.test.paths[0]: "*.{js,ts}" has { }; write one pattern for each alternative'],
    [
      '{ run: a, paths: ["app/[slug]/*"] }',
      'checks.test.paths[0]: "app/[slug]/*" has [, which tools read differently; write ? for that one character',
    ],
    ["{ run: a, env: [A] }", "checks.test.env: must be a mapping, not a list"],
    ["{ run: a, env: { A: } }", "checks.test.env.A: is empty; it must be text, a number or true or false"],
    ["{ run: a, env: { A: [b] } }", "checks.test.env.A: must be text, a number or true or false, not a list"],
    [
      "{ run: a, env: { A-B: c } }",
      "checks.test.env.A-B: is not a name of an environment variable; use letters, digits and underscores",
    ],
    ['{ run: "a\\0b" }', "checks.test.run: has a NUL or half a character in it"],
    ['{ run: a, env: { A: "\\ud800" } }', "checks.test.env.A: has a NUL or half a character in it"],
  ])("%s", (check, ...sentences) => {
    expect(new Set(saysOfCheck(check))).toEqual(new Set(sentences));
  });
});

describe("what is said about an environment", () => {
  it.each([
    ["{}", "environments.staging.target: is missing; it must be directory, command, ssh or heroku"],
    ["{ target: shh }", 'environments.staging.target: "shh" is not a target; did you mean "ssh"?'],
    [
      "{ target: kubernetes }",
      'environments.staging.target: "kubernetes" is not a target; known: directory, command, ssh and heroku',
    ],
    [
      "{ target: codedeploy }",
      'environments.staging.target: "codedeploy" is not available yet in this version of Signalbox; use directory, command, ssh or heroku',
    ],
    ["{ target: 5 }", "environments.staging.target: must be directory, command, ssh or heroku, not a number"],
    ["{ target: directory }", "environments.staging.with.path: is missing; it must be text"],
    ["{ target: directory, with: }", "environments.staging.with: is empty; it must be a mapping"],
    ["{ target: directory, with: web }", "environments.staging.with: must be a mapping, not text"],
    [
      "{ target: directory, with: { path: a, form: b } }",
      'environments.staging.with.form: is not a key here; did you mean "from"?',
    ],
    ["{ target: directory, with: { path: a, keep: 0 } }", "environments.staging.with.keep: must be at least 1, not 0"],
    ["{ target: directory, with: { path: a, keep: 1.5 } }", "environments.staging.with.keep: must be a whole number, not 1.5"],
    ["{ target: directory, with: { path: '' } }", "environments.staging.with.path: is empty; at least 1 character"],
    [
      "{ target: directory, with: { path: '{{ brnch }}' } }",
      "environments.staging.with.path: {{ brnch }} is not known; known are pull_request.number, sha, short_sha, ref, environment, repository.name and repository.owner",
    ],
    [
      "{ target: directory, with: { path: '{{ environement }}' } }",
      "environments.staging.with.path: {{ environement }} is not known; did you mean {{ environment }}?",
    ],
    [
      "{ target: directory, with: { path: 'pr-{{ pull_request.number }}' } }",
      "environments.staging.with.path: {{ pull_request.number }} is known only with trigger: pull_request",
    ],
    ["{ target: command, with: { run: x, secrets: ['{{ sha'] } }", "environments.staging.with.secrets[0]: has {{ without }}"],
    [
      `{ ${target}, url: 'https://{{ toString }}.example.com' }`,
      "environments.staging.url: {{ toString }} is not known; known are pull_request.number, sha, short_sha, ref, environment, repository.name and repository.owner",
    ],
    [
      `{ ${target}, url: 'javascript:alert(1)' }`,
      "environments.staging.url: must be an address that starts with https:// or http://",
    ],
    [`{ ${target}, url: example.com }`, "environments.staging.url: must be an address that starts with https:// or http://"],
    [
      `{ ${target}, url: 'https://me:secret@example.com' }`,
      "environments.staging.url: must not contain a user or password: everybody can read it",
    ],
    [`{ ${target}, url: '' }`, "environments.staging.url: is empty"],
    [`{ ${target}, branch: 1.0 }`, "environments.staging.branch: must be text, not a number; put it in quotes"],
    [`{ ${target}, trigger: mrege }`, 'environments.staging.trigger: "mrege" is not a trigger; did you mean "merge"?'],
    [
      "{ trigger: pull_request, target: heroku, with: { app: a, key: A } }",
      'environments.staging.target: "heroku" cannot take a preview down; use directory or command',
    ],
    [
      "{ trigger: pull_request, target: command, with: { run: x } }",
      "environments.staging.with.remove: is missing; it must be a mapping",
    ],
    [
      "{ trigger: pull_request, target: directory, with: { path: preview } }",
      'environments.staging.with.path: "preview" is the same for all pull requests; put {{ pull_request.number }} or {{ environment }} into it',
    ],
    [
      "{ trigger: pull_request, target: directory, with: { path: 'production/x{{ pull_request.number }}/..' } }",
      'environments.staging.with.path: "production/x{{ pull_request.number }}/.." is the same for all pull requests; put {{ pull_request.number }} or {{ environment }} into it',
    ],
    [
      `{ ${preview}, after: other }, other: { ${target} }`,
      "environments.staging.after: is not for previews (trigger: pull_request); remove it",
    ],
    [`{ ${preview}, paths: [a] }`, "environments.staging.paths: is not for previews (trigger: pull_request); remove it"],
    [`{ ${preview}, rollback: automatic }`, "environments.staging.rollback: is not for previews: push a commit that works"],
    [`{ ${preview}, ttl: 91d }`, "environments.staging.ttl: is 91d; at most 90d (what must live longer is no preview)"],
    [`{ ${preview}, quota: 0 }`, "environments.staging.quota: must be at least 1, not 0"],
    [
      `{ ${preview} }, staging-PR-12: { ${target} }`,
      "environments.staging-PR-12: is what a preview of staging is called; rename it",
    ],
    [
      `{ ${preview} }, next: { ${target}, after: staging }`,
      'environments.next.after: "staging" is for previews; nothing comes after them',
    ],
    [`{ ${target}, quota: 3 }`, "environments.staging.quota: is only for previews (trigger: pull_request); remove it"],
    [
      `{ ${target}, after: stagign }`,
      'environments.staging.after: "stagign" is not an environment of this file; did you mean "staging"?',
    ],
    [`{ ${target}, after: staging }`, "environments.staging.after: goes round in a circle: staging after staging"],
    [`{ ${target}, after: [staging] }`, "environments.staging.after: must be text, not a list"],
    [`{ ${target}, require_checks: test }`, 'environments.staging.require_checks: must be all, none or a list, not "test"'],
    [
      `{ ${target}, require_checks: non }`,
      'environments.staging.require_checks: must be all, none or a list, not "non"; did you mean "none"?',
    ],
    [`{ ${target}, require_checks: [] }`, "environments.staging.require_checks: is empty; at least 1 entry"],
    [
      `{ ${target}, require_checks: [5] }`,
      "environments.staging.require_checks[0]: must be text, not a number; put it in quotes",
    ],
    [
      `{ ${target}, require_checks: [tset] }`,
      'environments.staging.require_checks[0]: "tset" is not a check of this file; did you mean "test"?',
    ],
    [
      `{ ${target}, require_checks: [signalbox/test] }`,
      'environments.staging.require_checks[0]: "signalbox/test" is the status of a check of this file; write "test"',
    ],
    [
      `{ ${target}, require_checks: [signalbox] }`,
      'environments.staging.require_checks[0]: "signalbox" is the status of all checks of this file; write require_checks: all',
    ],
    [`{ ${target}, require_checks: [' x'] }`, 'environments.staging.require_checks[0]: " x" is empty, or has spaces around it'],
    [`{ ${target}, build: [] }`, "environments.staging.build: must be text, not a list"],
    [`{ ${target}, ttl: 7d }`, "environments.staging.ttl: is only for previews (trigger: pull_request); remove it"],
    [`{ ${target}, approvals: 1 }`, "environments.staging.approvals: must be a mapping, not a number"],
    [`{ ${target}, approvals: { count: 0 } }`, "environments.staging.approvals.count: must be at least 1, not 0"],
    [
      `{ ${target}, approvals: { users: ['@octocat'] } }`,
      "environments.staging.approvals.users[0]: is not a login; write it without @",
    ],
    [
      `{ ${target}, approvals: { teams: [acme/release] } }`,
      "environments.staging.approvals.teams[0]: is not a team's name as in its address: small letters, digits, hyphens and underscores, without the organization",
    ],
    [`{ ${target}, freeze: { days: [fri] } }`, "environments.staging.freeze: must be a list, not a mapping"],
    [
      `{ ${target}, freeze: [{}] }`,
      "environments.staging.freeze[0]: names neither days nor times; a freeze that never ends is a lock",
    ],
    [
      `{ ${target}, freeze: [{ days: [friday] }] }`,
      'environments.staging.freeze[0].days[0]: must be sun, mon, tue, wed, thu, fri or sat, not "friday"',
    ],
    [
      `{ ${target}, freeze: [{ from: "4pm" }] }`,
      'environments.staging.freeze[0].from: "4pm" is not a time of day; write it like 16:00',
    ],
    [
      `{ ${target}, freeze: [{ from: "16:00", timezone: Europe/Berln }] }`,
      'environments.staging.freeze[0].timezone: "Europe/Berln" is not a time zone; did you mean "Europe/Berlin"?',
    ],
    [`{ ${target}, health: https://a.example }`, "environments.staging.health: must be a mapping, not text"],
    [`{ ${target}, health: { within: 5s } }`, "environments.staging.health.url: is missing; it must be text"],
    [
      `{ ${target}, health: { url: 'ftp://a.example' } }`,
      "environments.staging.health.url: must be an address that starts with https:// or http://",
    ],
    [
      `{ ${target}, health: { url: 'https://a.example', within: 3h } }`,
      "environments.staging.health.within: is 3h; at most 2h (the server's MAX_TIMEOUT)",
    ],
    [
      `{ ${target}, health: { url: 'https://a.example', expect: '{{ short }}' } }`,
      "environments.staging.health.expect: {{ short }} is not known; known are pull_request.number, sha, short_sha, ref, environment, repository.name and repository.owner",
    ],
    [`{ ${target}, rollback: auto }`, 'environments.staging.rollback: must be automatic or manual, not "auto"'],
    [`{ ${target}, paths: [] }`, "environments.staging.paths: is empty; at least 1 entry"],
  ])("%s", (environment, sentence) => {
    expect(saysOfEnvironment(environment)).toEqual([sentence]);
  });

  it.each(["{ target: [{ toString: a }] }", "{ target: { toString: a } }"])("survives %s", (environment) => {
    expect(saysOfEnvironment(environment)[0]).toMatch(/^environments.staging.target: must be directory/);
  });

  it("tells of a circle once", () => {
    const of = (after: string) => `{ ${target}, after: ${after} }`;
    expect(says(`environments:\n  a: ${of("b")}\n  b: ${of("c")}\n  c: ${of("a")}\n  d: ${of("a")}`)).toEqual([
      "environments.a.after: goes round in a circle: a after b after c after a",
    ]);
  });
});

describe("what is said about names", () => {
  const form =
    "is not a name; it must have 1 to 50 letters, digits, dots, hyphens or underscores and start with a letter or digit";
  it.each([
    ["checks: { config: { run: a } }", "checks.config: is reserved for the mistakes of this file; choose another name"],
    ["checks: { Config: { run: a } }", "checks.Config: is reserved for the mistakes of this file; choose another name"],
    [
      "checks: { Test: { run: a }, test: { run: a } }",
      'checks.test: is "Test" but for capital letters, which GitHub does not tell apart',
    ],
    [
      `environments: { Live: { ${target} }, LIVE: { ${target} } }`,
      'environments.LIVE: is "Live" but for capital letters, which GitHub does not tell apart',
    ],
    ["checks: { a/b: { run: a } }", `checks["a/b"]: ${form}`],
    ["checks: { '': { run: a } }", `checks[""]: ${form}`],
    [`environments: { ..: { ${target} } }`, `environments[".."]: ${form}`],
    [`environments: { "a\\u202eb": { ${target} } }`, `environments["a\\u{202e}b"]: ${form}`],
    [`checks: { ${"a".repeat(51)}: { run: a } }`, `checks.${"a".repeat(51)}: ${form}`],
    [`checks: { ${"a".repeat(100)}: { run: a } }`, `checks["${"a".repeat(60)}…"]: ${form}`],
    ["checks: { __proto__: { run: a } }", "checks.__proto__: is not a key here"],
  ])("%s", (text, sentence) => {
    expect(says(text)).toEqual([sentence]);
  });

  it.each(["1", "node-24", "v1.2_x", "404", "true", "null", "a".repeat(50)])("accepts %s", (name) => {
    expect(says(`checks: { ${name}: { run: a } }\nenvironments: { ${name}: { ${target} } }`)).toEqual([]);
  });
});

describe("what is said about the file as a whole", () => {
  it.each([
    ["hello", "the file must be a mapping with the keys checks and environments, not text"],
    ["checks: [test]", "checks: must be a mapping, not a list"],
    ["checks:", "checks: is empty; it must be a mapping"],
    ["check: {}", 'check: is not a key here; did you mean "checks"?'],
    ["notify: []", "notify: is empty; at least 1 entry"],
    ["notify: [{ slack: A, webhook: B }]", "notify[0]: must name one of slack or webhook"],
    ["notify: [{ events: [failure] }]", "notify[0]: must name one of slack or webhook"],
    ["notify: [{ webhook: A }]", "notify[0].secret: is missing; it must be the name of a secret, which signs the POST"],
    ["notify: [{ slack: A, secret: B }]", "notify[0].secret: is only for webhook; remove it"],
    [
      "notify: [{ slack: 'https://hooks.slack.example/x' }]",
      "notify[0].slack: is not the name of a secret; write its name here, and set its value with bin/signalbox secret set",
    ],
    [
      "notify: [{ slack: A, events: [failed] }]",
      'notify[0].events[0]: must be failure, recovery, waiting, started, deployed or rolled_back, not "failed"',
    ],
    ["checks: {}\nchecks: {}", "checks: is there twice"],
    ["checks:\n\ttest: a", "line 2, column 1: a tab cannot indent; use spaces"],
    [
      "checks:\n  test:\n    run: echo a: b",
      "line 3, column 10: there is a second colon in this line; put a value with a colon in quotes",
    ],
    ["checks:\n  test:\n    run: a\n   paths: b", "line 4, column 1: the indentation fits none of the lines before"],
    ["checks: [1, 2\nb: c", "line 2, column 1: [ ] or { } is not closed, or not indented further than its key"],
    ['checks: "x', "line 1, column 11: a quoted text is not closed"],
    ["checks: {}\n---\nchecks: {}", "line 2, column 1: a second document starts here; the file holds one"],
    ["checks: @x", "line 1, column 9: a value cannot start with @; put it in quotes"],
    [
      "checks:\n-test\n- c",
      'line 2, column 1: this is neither "key: value" nor "- entry"; is a colon missing, or the space behind it?',
    ],
    [
      'checks: "\\q"',
      "line 1, column 10: a backslash in double quotes starts an unknown sequence; write two of them, or use single quotes",
    ],
    ["? [a]\n: b", "line 1, column 3: a key must be text"],
    ["checks: ]", 'line 1, column 9: "]" does not belong here'],
    [
      "checks: !!js/function x",
      'line 1, column 9: "!!js/function" is a tag, and there are none; put quotes around a value that starts with !',
    ],
    [
      "checks: !!binary aGk=",
      'line 1, column 9: "!!binary" is a tag, and there are none; put quotes around a value that starts with !',
    ],
    [
      "checks: { test: { run: a, paths: [*.ts] } }",
      'checks.test.paths[0]: "*.ts" is an alias of nothing; put quotes around a value that starts with *',
    ],
    ["checks: &a { a: *a }", 'checks.a: "*a" contains itself'],
    ["%YAML 1.1\n---\nchecks: {}", "the file is read as YAML 1.2; remove the line with %YAML"],
    ["checks: { <<: [1] }", "what << merges must be a mapping, or a list of them"],
    ["%FOO\n---\nchecks: {}", "line 1, column 1: a line that starts with % is not supported; remove it"],
  ])("%j", (text, sentence) => {
    expect(says(text)).toEqual([sentence]);
  });

  it("knows nothing to suggest where the server can do nothing", () => {
    const nothing = { runners: new Map(), targets: new Map(), previews: new Map(), notifiers: new Map(), maxTimeout: 60_000 };
    expect(says("environments: { a: { target: foo } }", nothing)).toEqual([
      'environments.a.target: "foo" is not a target; there is none',
    ]);
  });
});
