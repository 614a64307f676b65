import { describe, expect, it } from "@jest/globals";
import { accepted, says } from "./says.ts";

const later = "not available yet in this version of Signalbox";

/** Every key of the contract. What does not work yet has the sentence that refuses it behind it. */
const contract: readonly (readonly [line: string, refusal?: string])[] = [
  ["checks:"],
  ["  test:"],
  ["    run: |"],
  ["      npm ci"],
  ["      npm test"],
  ["    timeout: 15m"],
  ['    paths: ["src/**", "package*.json"]'],
  ["    env: { NODE_ENV: test }"],
  ["    cache: [~/.npm]"],
  ["  e2e:"],
  ["    runner: jenkins", `checks.e2e.runner: "jenkins" is ${later}; use local`],
  ["    with: { url: https://jenkins.example.com, job: shop-e2e, credentials: JENKINS_TOKEN }"],
  ["environments:"],
  ["  staging:"],
  ["    trigger: merge"],
  ["    branch: main"],
  ["    target: ssh"],
  ["    with: { host: deploy@staging.example.com, path: /srv/shop, key: STAGING_KEY }"],
  ["    build: npm ci && npm run build"],
  ["    timeout: 20m"],
  ["    url: https://staging.example.com"],
  ['    health: { url: https://staging.example.com/healthz, within: 60s, expect: "{{ short_sha }}" }'],
  ["  production:"],
  ["    after: staging"],
  ["    target: heroku"],
  ["    with: { app: shop, key: HEROKU_API_KEY }"],
  ["    require_checks: all"],
  ["    approvals: { count: 1, users: [octocat], teams: [release] }"],
  ['    freeze: [{ days: [fri], from: "16:00", to: "23:59", timezone: Europe/Berlin, reason: No Friday deploys }]'],
  ["    rollback: automatic"],
  ['    paths: ["web/**"]'],
  ["  preview:"],
  ["    trigger: pull_request"],
  ["    target: directory"],
  ['    with: { path: "pr-{{ pull_request.number }}" }'],
  ["    url: https://pr-{{ pull_request.number }}.preview.example.com"],
  ["    ttl: 7d"],
  ["automerge:"],
  ["  method: squash"],
  ["  label: automerge"],
  ["notify:"],
  ["  - slack: SLACK_WEBHOOK"],
  ["    events: [failure, recovery, deployed, waiting]"],
];

describe("the example of the contract", () => {
  it("is refused for what does not work yet, and for nothing else", () => {
    const text = contract.map(([line]) => line).join("\n");
    expect(says(text)).toEqual(contract.flatMap(([, refusal]) => refusal ?? []));
  });

  it("is accepted without it", () => {
    const works = contract.filter(([, refusal]) => refusal === undefined);
    const text = works
      .map(([line]) => line)
      .join("\n")
      .replace(/ {2}e2e:\n.*\n/, "");
    const file = accepted(text);
    expect(Object.keys(file.checks)).toEqual(["test"]);
    expect(Object.keys(file.environments)).toEqual(["staging", "production", "preview"]);
    expect(file.automerge).toEqual({ method: "squash", label: "automerge" });
    expect(file.notify).toEqual([
      { service: "slack", address: "SLACK_WEBHOOK", key: null, events: ["failure", "recovery", "deployed", "waiting"] },
    ]);
  });
});
