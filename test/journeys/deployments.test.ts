import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import { processesNamed } from "../process/processes.ts";
import {
  calm,
  deliver,
  deploymentBecomes,
  deploymentSays,
  held,
  heldCommand,
  letGo,
  statusBecomes,
  useSharedJourney,
} from "../support/journey.ts";

const path = ".github/signalbox.yml";

/** A file with a check that looks into the commit, and these environments. */
function file(environments: string): Record<string, string> {
  return { [path]: `checks: { test: { run: "! test -e broken" } }\nenvironments:\n${environments}\n` };
}

const staging = `  staging: { trigger: merge, target: directory, with: { path: staging }, url: "https://{{ short_sha }}.example.com" }`;
const production = `  production: { after: staging, target: directory, with: { path: production } }`;

describe("a merge", () => {
  const journey = useSharedJourney();

  /** Opens a pull request of mira's and waits until it is green. */
  async function propose(shop: Repository, branch: string, files: Record<string, string> = { [branch]: "new\n" }) {
    const sha = await shop.commit({ branch, from: "main", files, message: branch, author: "mira" });
    const number = await shop.openPullRequest({ title: `The ${branch}`, head: branch, author: "mira" });
    return { sha, number };
  }

  async function green(shop: Repository, branch: string, files?: Record<string, string>) {
    const proposed = await propose(shop, branch, files);
    await statusBecomes(shop, proposed.sha, "signalbox", "success");
    return proposed;
  }

  function live(shop: Repository, environment: string, name: string): string {
    return join(journey.folder, "sites", shop.fullName, environment, "current", name);
  }

  it("creates a deployment of the full SHA that waits at our gate, not at GitHub's, and says whose it is", async () => {
    const shop = await journey.repository(file(`${staging}\n${production}`));
    const { number } = await green(shop, "autumn");
    const before = journey.github.requests.length;
    const sha = await shop.merge(number, { by: "jonas" });
    const deployment = await deploymentBecomes(shop, "staging", "success", sha);
    await deploymentBecomes(shop, "production", "success", sha);

    const created = journey.github.requests
      .slice(before)
      .filter(({ method, path: at }) => method === "POST" && at.endsWith("/deployments"))
      .map(({ body }) => JSON.parse(body));
    expect(created).toHaveLength(2);
    for (const [index, environment] of ["staging", "production"].entries()) {
      expect(created[index]).toEqual({
        ref: sha,
        task: "deploy",
        auto_merge: false,
        required_contexts: [],
        environment,
        production_environment: environment === "production",
        transient_environment: false,
        description: "The autumn",
        payload: {
          signalbox: { run: expect.any(Number) },
          pull_request: { number, author: "mira", merged_by: "jonas" },
        },
      });
    }
    const states = deployment.statuses.map(({ state }) => state);
    expect(states.filter((state, index) => state !== states[index - 1])).toEqual(["queued", "in_progress", "success"]);
    const run = created[0].payload.signalbox.run;
    expect(deployment.statuses.at(-1)).toMatchObject({
      environmentUrl: `https://${sha.slice(0, 7)}.example.com`,
      logUrl: `http://127.0.0.1:3000/${shop.fullName}/runs/${run}`,
      description: expect.stringMatching(/^Passed in \d+ s$/),
    });
    expect(await readFile(live(shop, "production", "autumn"), "utf8")).toBe("new\n");
  });

  it("makes the deployment before it inactive, in production too", async () => {
    const open = "trigger: merge, require_checks: none, target: directory";
    const shop = await journey.repository({
      [path]: `environments: { staging: { ${open}, with: { path: a } }, production: { ${open}, with: { path: b } } }`,
    });
    const first = await shop.merge((await propose(shop, "autumn")).number);
    await deploymentBecomes(shop, "production", "success", first);
    const second = await shop.merge((await propose(shop, "winter")).number, { method: "squash" });
    await deploymentBecomes(shop, "production", "success", second);
    await deploymentBecomes(shop, "production", "inactive", first);
    await deploymentBecomes(shop, "staging", "inactive", first);
    const { statuses } = await deploymentBecomes(shop, "production", "success", second);
    expect(statuses.at(-1)?.state).toBe("success");
  });

  it.each(["merge", "squash", "rebase"] as const)(
    "by %s of a branch that is up to date counts as checked, because the tree is the same",
    async (method) => {
      const shop = await journey.repository(file(staging));
      const { sha, number } = await green(shop, "autumn");
      const merged = await shop.merge(number, { method });
      await deploymentBecomes(shop, "staging", "success", merged);
      await calm(journey);
      expect(merged).not.toBe(sha);
      expect(shop.statuses(merged)).toEqual([]);
    },
  );

  it("whose tree is another one than the checked head's runs its checks on the merge commit first", async () => {
    const shop = await journey.repository({ [path]: file(staging)[path]?.replace("! test -e broken", held) ?? "" });
    const { sha, number } = await propose(shop, "autumn");
    await letGo(journey.folder);
    await statusBecomes(shop, sha, "signalbox", "success");
    await shop.commit({ branch: "main", files: { other: "" }, message: "Meanwhile", author: "jonas" });
    await letGo(journey.folder);
    const merged = await shop.merge(number);
    await heldCommand(journey.folder);
    await deploymentSays(shop, "staging", "Waiting for checks: test is pending");
    expect(shop.deployments()[0]?.statuses.at(-1)?.state).toBe("queued");
    await statusBecomes(shop, merged, "signalbox/test", "pending");
    await letGo(journey.folder);
    await deploymentBecomes(shop, "staging", "success", merged);
    await statusBecomes(shop, merged, "signalbox", "success");
  });

  it("whose checks fail is held until the rules on the default branch no longer ask for them", async () => {
    const shop = await journey.repository(file(staging));
    const { sha, number } = await propose(shop, "autumn", { broken: "" });
    await statusBecomes(shop, sha, "signalbox", "failure");
    const merged = await shop.merge(number);
    await deploymentSays(shop, "staging", "Waiting for checks: test failed");
    await calm(journey);
    expect(shop.deployments()[0]?.statuses.at(-1)?.state).toBe("queued");

    const rules = file(staging.replace("trigger: merge,", "trigger: merge, require_checks: none,"));
    await shop.commit({ branch: "main", files: rules, message: "Let it through", author: "jonas" });
    await deploymentBecomes(shop, "staging", "success", merged);
  });

  it("of a commit without any checks waits, unless none are required", async () => {
    const environments = `environments:\n${staging}\n  open: { trigger: merge, require_checks: none, target: directory, with: { path: open } }\n`;
    const shop = await journey.repository({ [path]: environments });
    const { number } = await propose(shop, "autumn");
    const merged = await shop.merge(number);
    await deploymentBecomes(shop, "open", "success", merged);
    await deploymentSays(shop, "staging", "Waiting for checks: the commit has none");
    await deploymentBecomes(shop, "staging", "queued", merged);
  });

  it("runs the build before the target, and a build that fails changes nothing that is live", async () => {
    const build = `  staging: { trigger: merge, target: directory, with: { path: staging, from: dist }, build: "! test -e bad && mkdir dist && cp name dist" }`;
    const shop = await journey.repository({ ...file(build), name: "spring\n" });
    const first = await shop.merge((await green(shop, "summer", { name: "summer\n" })).number);
    await deploymentBecomes(shop, "staging", "success", first);
    const second = await shop.merge((await green(shop, "autumn", { name: "autumn\n", bad: "" })).number);
    const failed = await deploymentBecomes(shop, "staging", "failure", second);
    expect(failed.statuses.at(-1)?.description).toMatch(/^Failed: the build exited with 1 after \d+ s$/);
    expect(await readFile(live(shop, "staging", "name"), "utf8")).toBe("summer\n");
    expect(
      shop
        .deployments()
        .find(({ sha }) => sha === first)
        ?.statuses.at(-1)?.state,
    ).toBe("success");
  });

  it("whose target hangs is ended after its time with all that it started, and the next one goes on", async () => {
    const mark = `4714${process.pid}`;
    const target = (run: string, timeout: string) =>
      `environments: { staging: { trigger: push, require_checks: none, target: command, with: { run: "${run}" }, timeout: ${timeout} } }\n`;
    const at = ".github/signalbox.yml";
    const shop = await journey.repository({ [at]: target(`sleep ${mark} & sleep ${mark}`, "5s") });
    const hangs = await shop.commit({ branch: "main", files: { a: "" }, message: "Hangs", author: "mira" });
    const failed = await deploymentBecomes(shop, "staging", "failure", hangs);
    expect(failed.statuses.at(-1)?.description).toMatch(/^Failed: timed out after 5 s after /);
    expect(await processesNamed(`sleep ${mark}`)).toEqual([]);
    const next = await shop.commit({
      branch: "main",
      files: { [at]: target("true", "10m") },
      message: "Goes on",
      author: "mira",
    });
    await deploymentBecomes(shop, "staging", "success", next);
  });

  it("to a path that goes up is refused with the file, and nothing is deployed", async () => {
    const shop = await journey.repository(file("  staging: { trigger: merge, target: directory, with: { path: ../../etc } }"));
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    const refused = await statusBecomes(shop, sha, "signalbox/config", "error");
    expect(refused.description).toMatch(/environments\.staging\.with\.path: leads out of the repository's own folder/);
    expect(shop.deployments()).toEqual([]);
    expect(existsSync(join(journey.folder, "sites", "etc"))).toBe(false);
  });

  it("to a path outside of what is allowed fails and says why", async () => {
    const shop = await journey.repository(file("  staging: { trigger: merge, target: directory, with: { path: /etc } }"));
    const merged = await shop.merge((await green(shop, "autumn")).number);
    const refused = await deploymentBecomes(shop, "staging", "failure", merged);
    expect(refused.statuses.at(-1)?.description).toMatch(/^Failed: path: "\/etc" leads to a folder that is not allowed/);
  });

  it("promotes nothing when staging fails", async () => {
    const failing = "  staging: { trigger: merge, target: command, with: { run: exit 7 } }";
    const shop = await journey.repository(file(`${failing}\n${production}`));
    const merged = await shop.merge((await green(shop, "autumn")).number);
    const failed = await deploymentBecomes(shop, "staging", "failure", merged);
    expect(failed.statuses.at(-1)?.description).toMatch(/^Failed: exit 7 exited with 7 after \d+ s$/);
    await calm(journey);
    expect(shop.deployments().map(({ environment }) => environment)).toEqual(["staging"]);
  });

  it("deploys to environments that are triggered by push as well as every other push to their branch, once", async () => {
    const shop = await journey.repository(file(staging.replace("trigger: merge", "trigger: push")));
    const merged = await shop.merge((await green(shop, "autumn")).number);
    await deploymentBecomes(shop, "staging", "success", merged);
    const pushed = await shop.commit({ branch: "main", files: { direct: "" }, message: "Directly", author: "jonas" });
    const deployment = await deploymentBecomes(shop, "staging", "success", pushed);
    expect(deployment.description).toBe("Directly");
    await statusBecomes(shop, pushed, "signalbox", "success");
    await shop.commit({ branch: "elsewhere", from: "main", files: { x: "" }, message: "Elsewhere", author: "jonas" });
    await calm(journey);
    expect(shop.deployments()).toHaveLength(2);
  });

  it("is what deploys: a tag that is pushed and a branch that is deleted ask nothing of GitHub", async () => {
    const shop = await journey.repository(file(staging.replace("trigger: merge", "trigger: push")));
    await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await calm(journey);
    const before = journey.github.requests.length;
    const push = journey.github.deliveries().findLast((one) => one.event === "push" && one.repository === shop.id);
    const payload = JSON.parse(push?.request.payload ?? "{}");
    await deliver(journey, "push", { ...payload, ref: "refs/tags/v1" });
    await deliver(journey, "push", { ...payload, after: "0".repeat(40), deleted: true, head_commit: null });
    await calm(journey);
    expect(journey.github.requests.slice(before)).toEqual([]);
  });

  it("deploys nothing to environments that are triggered by hand, nor to those of other branches", async () => {
    const environments = `
  staging: { target: directory, with: { path: staging } }
  release: { trigger: merge, branch: release, target: directory, with: { path: release } }`;
    const shop = await journey.repository(file(environments));
    await shop.merge((await green(shop, "autumn")).number);
    await calm(journey);
    expect(shop.deployments()).toEqual([]);
  });

  it("quickly after another one supersedes the one that waits, never the one that runs, and the newest is live at the end", async () => {
    const slow = `${held}; echo "$SIGNALBOX_SHA" >> "$SIGNALBOX_SITES/order"`;
    const shop = await journey.repository({
      [path]: `environments:
  staging: { trigger: merge, require_checks: none, target: command, with: { run: '${slow}' } }
  production: { after: staging, require_checks: none, target: directory, with: { path: production } }`,
    });
    const running = await shop.merge((await propose(shop, "a")).number);
    await heldCommand(journey.folder);
    const waiting = await shop.merge((await propose(shop, "b")).number);
    await deploymentBecomes(shop, "staging", "queued", waiting);
    const newest = await shop.merge((await propose(shop, "c")).number);
    const superseded = await deploymentBecomes(shop, "staging", "inactive", waiting);
    expect(superseded.statuses.at(-1)?.description).toBe(`Superseded by ${newest.slice(0, 7)}`);
    await letGo(journey.folder);
    await letGo(journey.folder);
    await deploymentBecomes(shop, "staging", "success", newest);
    await deploymentBecomes(shop, "production", "success", newest);
    await calm(journey);
    expect(await readFile(join(journey.folder, "sites", shop.fullName, "order"), "utf8")).toBe(`${running}\n${newest}\n`);
    expect(shop.deployments().filter(({ environment, sha }) => environment === "production" && sha === waiting)).toEqual([]);
  });

  it("that is told late never takes an environment back", async () => {
    const shop = await journey.repository(file(staging));
    const early = await green(shop, "autumn");
    const later = await green(shop, "winter");
    await calm(journey);
    journey.github.fault({ webhook: "drop", event: "pull_request" });
    const older = await shop.merge(early.number);
    await journey.github.idle();
    const newer = await shop.merge(later.number);
    await deploymentBecomes(shop, "staging", "success", newer);
    const dropped = journey.github
      .deliveries()
      .findLast(({ request }) => JSON.parse(request.payload).pull_request?.merge_commit_sha === older);
    await journey.github.redeliver(dropped?.guid ?? "");
    await calm(journey);
    await deploymentBecomes(shop, "staging", "success", newer);
    const late = shop.deployments().filter(({ sha }) => sha === older);
    for (const { statuses } of late) expect(statuses.at(-1)?.description).toBe(`Superseded by ${newer.slice(0, 7)}`);
    expect(late.flatMap(({ statuses }) => statuses.map(({ state }) => state))).not.toContain("in_progress");
  });
});
