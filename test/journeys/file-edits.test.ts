import { describe, expect, it } from "@jest/globals";
import { calm, handled, statusBecomes, useSharedJourney } from "../support/journey.ts";

const path = ".github/signalbox.yml";
const file = (host: string, more = "") => `checks: { test: { run: "true" } }
environments:
  production:
    target: ssh
    with: { host: ${host}, path: /srv/shop, key: KEY }
    ${more}
`;

describe("a pull request that edits the repository's file", () => {
  const journey = useSharedJourney();

  async function propose(text: string | null, branch = "edit", of = "mira") {
    const shop = await journey.repository({ [path]: file("deploy@a", "approvals: { count: 1 }") });
    const source = of === "mira" ? shop : await shop.fork(of);
    const sha = await source.commit({ branch, from: "main", files: { [path]: text }, message: branch, author: of });
    await shop.openPullRequest({ title: branch, head: branch, author: of, ...(of === "mira" ? {} : { fork: of }) });
    return { shop, sha };
  }

  async function page(targetUrl: string | null): Promise<string> {
    return (await fetch(`${journey.server.url}${new URL(targetUrl ?? "").pathname}`)).text();
  }

  it("shows what it changes for deployments, and holds nothing up", async () => {
    const { shop, sha } = await propose(file("deploy@b"));
    const status = await statusBecomes(shop, sha, "signalbox/config", "success");
    expect(status.description).toBe("When merged, production: host deploy@a → deploy@b (and 1 more)");
    const shown = await page(status.targetUrl);
    expect(shown).toContain("<li>production: host deploy@a → deploy@b</li>");
    expect(shown).toContain("<li>production: approvals 1 → none</li>");
    await statusBecomes(shop, sha, "signalbox", "success");
  });

  it("is compared with what it was made from, not with what was merged since", async () => {
    const { shop, sha } = await propose(`${file("deploy@a", "approvals: { count: 1 }")}# a comment\n`);
    expect((await statusBecomes(shop, sha, "signalbox/config", "success")).description).toBe("Nothing changes for deployments");
    const text = file("deploy@c", "approvals: { count: 2 }");
    await shop.commit({ branch: "main", files: { [path]: text }, message: "Another host", author: "mira" });
    const next = await shop.commit({ branch: "edit", files: { a: "" }, message: "More", author: "mira" });
    expect((await statusBecomes(shop, next, "signalbox/config", "success")).description).toBe("Nothing changes for deployments");
  });

  it("of a fork says it too, also its mistakes, which hold nothing up", async () => {
    const { shop, sha } = await propose(file("deploy@b", "rollbak: automatic"), "edit", "octocat");
    const status = await statusBecomes(shop, sha, "signalbox/config", "error");
    expect(status.description).toMatch(/^environments\.production\.rollbak: is not a key here; did you mean "rollback"\?/);
    expect(await page(status.targetUrl)).toContain("This pull request breaks what comes after the merge");
    await calm(journey);
    expect(shop.statuses(sha).find(({ context }) => context === "signalbox")?.state).toBe("pending");
  });

  it.each(["mira", "octocat"])("that deletes it says what is not deployed and not checked any more (by %s)", async (author) => {
    const { shop, sha } = await propose(null, "edit", author);
    const status = await statusBecomes(shop, sha, "signalbox/config", "success");
    expect(status.description).toBe("When merged, checks: test is removed (and 1 more)");
    expect(await page(status.targetUrl)).toContain("<li>production: is removed</li>");
  });

  it("is read again after GitHub did not answer, while everything else goes on", async () => {
    journey.github.fault({ path: /\/compare\//, answer: { status: 502 } });
    const { shop, sha } = await propose(file("deploy@b"));
    await statusBecomes(shop, sha, "signalbox", "success");
    await statusBecomes(shop, sha, "signalbox/config", "success");
    const compared = journey.github.requests.filter(({ path }) => path.includes(`${shop.fullName}/compare/`));
    expect(compared).toHaveLength(2);
  });

  it("is read when the App comes back to a repository that it lost, and costs nothing until then", async () => {
    const { shop, sha } = await propose(file("deploy@b"));
    await calm(journey);
    const set = (active: 0 | 1) =>
      journey.server.database.write(async (tx) => {
        await tx.db.updateTable("repository").set({ active }).where("id", "=", shop.id).execute();
        await tx.db.updateTable("pull_request_head").set({ edit_wanted: 1 }).where("repository", "=", shop.id).execute();
        tx.ring("heads");
      });
    const asked = () => journey.github.requests.filter(({ path }) => path.includes(`${shop.fullName}/compare/`)).length;
    const before = asked();
    await set(0);
    await handled(journey);
    expect(asked()).toBe(before);
    await set(1);
    await handled(journey);
    expect(asked()).toBe(before + 1);
    expect(shop.statuses(sha).filter(({ context }) => context === "signalbox/config")).toHaveLength(1);
  });

  it("cannot smuggle markup into the page", async () => {
    const { shop, sha } = await propose(
      file("deploy@a", 'approvals: { count: 1 }\n    url: "https://a.example.com/<script>alert(1)</script>"'),
    );
    const { targetUrl } = await statusBecomes(shop, sha, "signalbox/config", "success");
    const shown = await page(targetUrl);
    expect(shown).toContain("&lt;script&gt;");
    expect(shown).not.toContain("<script>alert");
  });

  it("is silent where the file is left as it is", async () => {
    const { shop } = await propose(file("deploy@b"));
    const sha = await shop.commit({ branch: "other", from: "main", files: { a: "" }, message: "Other", author: "mira" });
    await shop.openPullRequest({ title: "Other", head: "other", author: "mira" });
    await statusBecomes(shop, sha, "signalbox", "success");
    await calm(journey);
    expect(shop.statuses(sha).map(({ context }) => context)).not.toContain("signalbox/config");
  });
});
