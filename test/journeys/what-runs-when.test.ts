import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import {
  calm,
  deliver,
  deploymentBecomes,
  held,
  heldCommand,
  letGo,
  statusBecomes,
  useSharedJourney,
} from "../support/journey.ts";
import { until } from "../support/until.ts";

/** A file whose checks are these, and with an environment that somebody deploys by hand from the default branch. */
function file(test: string, environments = "staging: { target: directory, with: { path: staging } }"): Record<string, string> {
  return { ".github/signalbox.yml": `checks:\n  test: ${test}\nenvironments:\n  ${environments}\n` };
}

const passes = `{ run: "true" }`;

describe("what runs when", () => {
  const journey = useSharedJourney();

  const push = (shop: Repository, branch: string, message = "Directly") =>
    shop.commit({ branch, files: { [branch]: message }, message, author: "jonas" });

  describe("a push", () => {
    it("to a branch that is deployed is checked like a pull request, whatever paths say", async () => {
      const shop = await journey.repository(file(`{ run: "true", paths: ["web/**"] }`));
      const sha = await push(shop, "main");
      expect((await statusBecomes(shop, sha, "signalbox/test", "success")).description).toMatch(/^Passed/);
      await statusBecomes(shop, sha, "signalbox", "success");
    });

    it("to a branch that an environment names is checked, by the commit's own file", async () => {
      const shop = await journey.repository(file(passes, "live: { branch: release, target: directory, with: { path: live } }"));
      await shop.commit({ branch: "release", from: "main", files: file(`{ run: exit 3 }`), message: "Release", author: "jonas" });
      const failed = await statusBecomes(shop, await shop.head("release"), "signalbox/test", "failure");
      expect(failed.description).toContain("exit 3");
      const main = await push(shop, "main");
      await calm(journey);
      expect(shop.statuses(main)).toEqual([]);
    });

    it("is fetched while GitHub does not yet say what the file wants", async () => {
      const live = "live: { trigger: push, require_checks: none, target: directory, with: { path: live } }";
      const shop = await journey.repository({ ".github/signalbox.yml": `environments:\n  ${live}\n` });
      await deploymentBecomes(shop, "live", "success", await push(shop, "main", "One"));

      journey.github.fault({ path: /\/contents\//, times: 1_000, answer: { status: 502 } });
      const two = await push(shop, "main", "Two");
      const kept = join(journey.folder, "mirrors", String(shop.id), "refs", "kept", two);
      await until("it is here", () => existsSync(kept));
      expect(shop.deployments()).toHaveLength(1);
      journey.github.endFaults();
      await deploymentBecomes(shop, "live", "success", two);
    });

    it("to a branch that nobody deploys costs one request and runs nothing", async () => {
      const shop = await journey.repository(file(passes));
      await push(shop, "main");
      await calm(journey);
      const before = journey.github.requests.length;
      const sha = await shop.commit({ branch: "autumn", from: "main", files: { a: "" }, message: "Autumn", author: "mira" });
      await calm(journey);
      expect(shop.statuses(sha)).toEqual([]);
      expect(journey.github.requests.slice(before).map(({ method }) => method)).toEqual(["GET"]);
    });

    it("that asks to be skipped is told nothing of", async () => {
      const shop = await journey.repository(file(passes));
      const sha = await push(shop, "main", "Typo [skip ci]");
      await calm(journey);
      expect(shop.statuses(sha)).toEqual([]);
    });

    it.each(["merge", "squash", "rebase"] as const)(
      "that merges by %s a checked head with the same tree runs nothing again",
      async (method) => {
        const shop = await journey.repository(file(passes));
        await shop.commit({ branch: "autumn", from: "main", files: { a: "" }, message: "Autumn", author: "mira" });
        const number = await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
        await statusBecomes(shop, await shop.head("autumn"), "signalbox", "success");
        const merged = await shop.merge(number, { method });
        await calm(journey);
        expect(shop.statuses(merged)).toEqual([]);
      },
    );

    it("that merges a head into a branch that went on meanwhile is checked itself", async () => {
      const shop = await journey.repository(file(passes));
      await shop.commit({ branch: "autumn", from: "main", files: { a: "" }, message: "Autumn", author: "mira" });
      const number = await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
      await statusBecomes(shop, await shop.head("autumn"), "signalbox", "success");
      await push(shop, "main");
      const merged = await shop.merge(number);
      await statusBecomes(shop, merged, "signalbox", "success");
    });

    it("of a file with mistakes to the branch of an environment says which", async () => {
      const shop = await journey.repository(file(passes, "live: { branch: release, target: directory, with: { path: live } }"));
      await shop.commit({ branch: "release", from: "main", files: file(`{ rum: "true" }`), message: "Release", author: "jonas" });
      await statusBecomes(shop, await shop.head("release"), "signalbox/config", "error");
    });
  });

  describe("a merge queue", () => {
    /** What GitHub does: a commit on a branch of its own, and the event. */
    async function group(shop: Repository, test: string) {
      await push(shop, "main");
      const base = await shop.head("main");
      const branch = `gh-readonly-queue/main/pr-12-${base}`;
      await shop.commit({
        branch,
        from: "main",
        files: file(test),
        message: "Merge pull request #12 [skip ci]",
        author: "jonas",
      });
      const sha = await shop.head(branch);
      await calm(journey);
      const tell = async (action: "checks_requested" | "destroyed", reason?: "merged" | "dequeued") => {
        const author = { name: "Jonas", email: "jonas@example.com" };
        const commit = {
          id: sha,
          tree_id: sha,
          message: "Merge pull request #12 [skip ci]",
          timestamp: "2026-03-10T14:01:10Z",
          author,
          committer: author,
        };
        const refs = { head_sha: sha, head_ref: `refs/heads/${branch}`, base_sha: base, base_ref: "refs/heads/main" };
        const { repository, installation, sender } = lastPush(shop);
        const payload = { action, reason, merge_group: { ...refs, head_commit: commit }, repository, installation, sender };
        await deliver(journey, "merge_group", payload);
      };
      return { sha, tell };
    }

    function lastPush(shop: Repository): Record<string, unknown> {
      const push = journey.github.deliveries().findLast((one) => one.event === "push" && one.repository === shop.id);
      return JSON.parse(push?.request.payload ?? "{}");
    }

    it("gets a status of its group's very commit, by that commit's file, skip or not", async () => {
      const shop = await journey.repository(file(passes));
      const { sha, tell } = await group(shop, `{ run: exit 4 }`);
      expect(shop.statuses(sha)).toEqual([]);
      await tell("checks_requested");
      expect((await statusBecomes(shop, sha, "signalbox/test", "failure")).description).toContain("exit 4");
      await statusBecomes(shop, sha, "signalbox", "failure");
    });

    it("that lets a group go cancels what is unfinished", async () => {
      const shop = await journey.repository(file(passes));
      const { sha, tell } = await group(shop, `{ run: "${held}" }`);
      await tell("checks_requested");
      await heldCommand(journey.folder);
      await tell("destroyed", "dequeued");
      const said = await statusBecomes(shop, sha, "signalbox/test", "error");
      expect(said.description).toBe("Cancelled by the merge queue: it let go of pull request #12");
    });

    it("that has merged a group lets its checks go on", async () => {
      const shop = await journey.repository(file(passes));
      const { sha, tell } = await group(shop, `{ run: "${held}" }`);
      await tell("checks_requested");
      await heldCommand(journey.folder);
      await tell("destroyed", "merged");
      await until("it was heard", async () => {
        const seen = await journey.server.database.read((db) =>
          db.selectFrom("receipt").select("state").where("action", "=", "destroyed").orderBy("id", "desc").executeTakeFirst(),
        );
        return seen?.state === "handled";
      });
      await letGo(journey.folder);
      await statusBecomes(shop, sha, "signalbox", "success");
    });
  });
});
