import { describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import {
  calm,
  deliver,
  deploymentBecomes,
  handled,
  held,
  heldCommand,
  letGo,
  statusBecomes,
  useJourneys,
  useSharedJourney,
} from "../support/journey.ts";

const file = `
checks: { test: { run: "true" } }
environments: { staging: { trigger: push, require_checks: none, target: directory, with: { path: staging } } }
`;

describe("when GitHub is in trouble", () => {
  const journey = useSharedJourney();

  function open(content = file) {
    return journey.repository({ ".github/signalbox.yml": content });
  }

  function push(shop: Awaited<ReturnType<typeof open>>) {
    return shop.commit({ branch: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
  }

  it.each([
    ["answers 500", { status: 500 }],
    ["ends the connection and has not done it", "cut"],
    ["ends the connection and has done it", "cut after"],
  ] as const)("a deployment is created exactly once although GitHub %s", async (_name, answer) => {
    const shop = await open();
    await calm(journey);
    const before = shop.deployments().length;
    journey.github.fault({ method: "POST", path: /\/deployments$/, answer });
    const sha = await push(shop);
    await deploymentBecomes(shop, "staging", "success", sha);
    await calm(journey);
    expect(shop.deployments()).toHaveLength(before + 1);
  });

  it("what it must show waits, and only the newest state is sent", async () => {
    const shop = await open(`checks: { test: { run: "true" } }`);
    await calm(journey);
    journey.github.fault({ method: "POST", path: /\/statuses\//, times: 2, answer: { status: 502 } });
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await statusBecomes(shop, sha, "signalbox/test", "success");
    await statusBecomes(shop, sha, "signalbox", "success");
    expect(shop.allStatuses(sha).map(({ state }) => state)).toEqual(["success", "success"]);
  });

  it("a token that it expired early is replaced", async () => {
    const shop = await open(`checks: { test: { run: "true" } }`);
    await calm(journey);
    journey.github.fault({ path: /\/statuses\//, answer: { status: 401 } });
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await statusBecomes(shop, sha, "signalbox", "success");
  });
});

describe("a repository that is not allowed", () => {
  const journeys = useJourneys();

  it("is ignored, which is said once in the log", async () => {
    const journey = await journeys.start({ env: { ALLOWED_REPOSITORIES: "acme/other" } });
    const shop = await journey.github.repository({
      owner: "acme",
      name: "shop",
      files: { ".github/signalbox.yml": file },
      permissions: { mira: "write" },
    });
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.merge(await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" }));
    await shop.createDeployment({ by: "mira", ref: "main", environment: "staging" });
    await calm(journey);
    expect(journey.github.requests.filter(({ path }) => !path.startsWith("/app/hook/"))).toEqual([]);
    expect(shop.statuses(sha)).toEqual([]);
    const said = journey.log.filter(({ msg }) => String(msg).includes("ALLOWED_REPOSITORIES"));
    expect(said).toMatchObject([{ repository: "acme/shop" }]);
  });
});

describe("a repository that the App lost", () => {
  const journey = useSharedJourney();

  /** The event of that installation with another action; the stand-in suspends nothing itself. */
  async function tell(shop: Repository, action: "suspend" | "unsuspend"): Promise<void> {
    const created = journey.github
      .deliveries()
      .find(({ event, request }) => event === "installation" && request.payload.includes(`"${shop.fullName}"`));
    await deliver(journey, "installation", { ...JSON.parse(created?.request.payload ?? "{}"), action });
  }

  it.each([
    ["removed", (shop: Repository) => shop.uninstall(), (shop: Repository) => shop.install()],
    ["suspended", (shop: Repository) => tell(shop, "suspend"), (shop: Repository) => tell(shop, "unsuspend")],
  ])("because it was %s is asked nothing more, and told what is true when it comes back", async (_name, lose, giveBack) => {
    const shop = await journey.repository({ ".github/signalbox.yml": `checks: { test: { run: "${held}" } }` });
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    await heldCommand(journey.folder);
    await journey.server.settled();
    await lose(shop);
    await handled(journey);
    const before = journey.github.requests.length;
    await letGo(journey.folder);
    await calm(journey);
    expect(journey.github.requests.slice(before)).toEqual([]);
    expect(shop.statuses(sha).map(({ state }) => state)).toEqual(["pending", "pending"]);

    await giveBack(shop);
    await statusBecomes(shop, sha, "signalbox", "success");
  });

  it("an event without an installation, as a repository's own webhook sends it, is taken and ignored, and the log says why", async () => {
    const payload = { action: "opened", repository: { id: 1, full_name: "acme/shop" }, pull_request: { number: 1 } };
    await deliver(journey, "pull_request", payload);
    await handled(journey);
    expect(journey.log.map(({ msg }) => msg)).toContain(
      "ignored an event without an installation: the webhook belongs to a repository, not to the App",
    );
    expect(journey.log.map(({ msg }) => msg)).not.toContain("webhook given up");
  });
});
