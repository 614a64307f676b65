import { spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { path, secret } from "./ingest/delivery.ts";
import { type InstantGitHub, startInstantGitHub } from "./support/instant-github.ts";
import { type Measure, median, quantile } from "./support/measure.ts";
import { serverEnvironment } from "./support/server-environment.ts";

const limit = 50;
const rounds = 30;
/** Each has its own pace of writes, which is not what is measured here. */
const installations = 4;

export const measure: Measure = {
  title: "from a webhook to the first pending at GitHub, without GitHub's own time",
  async run() {
    const folder = await mkdtemp(join(tmpdir(), "signalbox-bench-"));
    const github = await startInstantGitHub("checks: { test: { run: 'true' } }\n");
    const { env, url } = await serverEnvironment(folder, github.host);
    const child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "first-pending", "web-server.ts")],
      { env, stdio: ["ignore", "ignore", "inherit"] },
    );
    const ended = new Promise((resolve) => child.once("exit", resolve));
    try {
      while ((await fetch(`${url}/readyz`).catch(() => null))?.ok !== true) {
        if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}`);
        await delay(20);
      }
      for (let round = 0; round < installations; round += 1) await one(github, url, round);
      const times: number[] = [];
      let most = 0;
      for (let round = 0; round < rounds; round += 1) {
        const { milliseconds, requests } = await one(github, url, round);
        times.push(milliseconds);
        most = Math.max(most, requests);
      }
      const value = `median ${median(times).toFixed(1)} ms, p95 ${quantile(times, 0.95).toFixed(1)} ms, limit ${limit} ms`;
      return [
        { what: "webhook to first pending", value, ratio: median(times) / limit, aim: { is: "at most", ratio: 1 } },
        {
          what: "requests until then, once the token is there",
          value: `at most ${most}, limit 2`,
          ratio: most / 2,
          aim: { is: "at most", ratio: 1 },
        },
      ];
    } finally {
      child.kill("SIGKILL");
      await ended;
      github.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** One push of a new head, as it comes before, and then its pull request: from the moment that is sent to the arrival of the first status. */
async function one(
  github: InstantGitHub,
  url: string,
  round: number,
): Promise<{ readonly milliseconds: number; readonly requests: number }> {
  const sha = randomBytes(20).toString("hex");
  const installation = { id: 100 + (round % installations) };
  const push = fixture("push");
  const read = github.next(/contents/);
  await send(url, "push", {
    ...push,
    installation,
    after: sha,
    head_commit: { ...push.head_commit, id: sha },
    ref: "refs/heads/autumn",
  });
  const opened = fixture("pull_request.opened");
  opened.pull_request.head.sha = sha;
  opened.pull_request.number = 1_000 + github.asked.length;
  await read;
  const before = github.asked.length;
  const pending = github.next(/^POST .*\/statuses\//);
  const began = performance.now();
  await send(url, "pull_request", { ...opened, installation });
  const status = await pending;
  const asked = github.asked
    .slice(before, github.asked.indexOf(status) + 1)
    .filter(({ route }) => route.includes(sha) || route.includes("access_tokens"));
  const theirs = asked.slice(0, -1).reduce((sum, { arrived, answered }) => sum + answered - arrived, 0);
  // The second status follows; the next round begins when it is through.
  if (github.asked.filter(({ route }) => route.endsWith(`/statuses/${sha}`)).length < 2)
    await github.next(/^POST .*\/statuses\//);
  return { milliseconds: status.arrived - began - theirs, requests: asked.length };
}

function fixture(name: string) {
  return JSON.parse(readFileSync(join(import.meta.dirname, "..", "fixtures", `${name}.json`), "utf8"));
}

async function send(url: string, event: string, payload: object): Promise<void> {
  const body = JSON.stringify(payload);
  const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const headers = {
    "content-type": "application/json",
    "x-github-event": event,
    "x-github-delivery": crypto.randomUUID(),
    "x-hub-signature-256": signature,
  };
  const response = await fetch(`${url}${path}`, { method: "POST", headers, body });
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
}
