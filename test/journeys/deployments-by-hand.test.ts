import { describe, expect, it } from "@jest/globals";
import type { Repository } from "../../demo/github/repository.ts";
import {
  calm,
  deliver,
  deploymentBecomes,
  deploymentSays,
  handled,
  held,
  heldCommand,
  letGo,
  statusBecomes,
  useSharedJourney,
} from "../support/journey.ts";

const file = `
checks: { test: { run: "true" } }
environments:
  staging: { target: directory, with: { path: staging } }
  production: { after: staging, target: directory, with: { path: production } }
`;

describe("a deployment that somebody else creates at GitHub", () => {
  const journey = useSharedJourney();

  function open(content = file): Promise<Repository> {
    return journey.repository({ ".github/signalbox.yml": content });
  }

  it("passes through the same gates when a person with write permission did, also with a payload that is not JSON", async () => {
    const shop = await open();
    await shop.createDeployment({ by: "mira", ref: "main", environment: "staging", payload: "{ not JSON" });
    const sha = await shop.head();
    await deploymentBecomes(shop, "staging", "success", sha);
    await statusBecomes(shop, sha, "signalbox/test", "success");
    await deploymentBecomes(shop, "production", "success", sha);
    expect(shop.deployments().map(({ environment, creator }) => [environment, creator.login])).toEqual([
      ["staging", "mira"],
      ["production", "signalbox[bot]"],
    ]);
  });

  it("to an environment whose commit is not live in the one before it waits, and goes on when it is", async () => {
    const shop = await open();
    await shop.createDeployment({ by: "mira", ref: "main", environment: "production" });
    await deploymentSays(shop, "production", "Waiting for staging: the commit is not live there yet");
    await shop.createDeployment({ by: "mira", ref: "main", environment: "staging" });
    await deploymentBecomes(shop, "staging", "success");
    await calm(journey);
    expect(shop.deployments().filter(({ environment }) => environment === "production")).toHaveLength(1);
    await deploymentBecomes(shop, "production", "success");
  });

  it("of a commit that was not merged is refused", async () => {
    const shop = await open();
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.createDeployment({ by: "mira", ref: "autumn", environment: "staging" });
    const refused = await deploymentBecomes(shop, "staging", "failure", sha);
    expect(refused.statuses.map(({ description }) => description)).toEqual([
      `Failed: ${sha.slice(0, 7)} is not on main: merge it first`,
    ]);
  });

  it("of a branch that waits for its checks does not keep a refusal of the same commit from being said", async () => {
    const shop = await open();
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.createDeployment({ by: "mira", ref: sha, environment: "staging" });
    await shop.createDeployment({ by: "mira", ref: sha, environment: "staging" });
    await calm(journey);
    expect(shop.deployments().map(({ statuses }) => statuses.at(-1)?.state)).toEqual(["failure", "failure"]);
  });

  it("to an environment that is not in the file is never written to", async () => {
    const shop = await open();
    await shop.createDeployment({ by: "mira", ref: "main", environment: "elsewhere" });
    await calm(journey);
    expect(shop.deployments()[0]?.statuses).toEqual([]);
  });

  it("by somebody without write permission is never touched", async () => {
    const shop = await open();
    shop.permit("olga", "read");
    await shop.createDeployment({ by: "olga", ref: "main", environment: "staging" });
    await calm(journey);
    expect(shop.deployments()[0]?.statuses).toEqual([]);
  });

  it("by another App is never touched", async () => {
    const shop = await open();
    await shop.createDeployment({ by: "olga", ref: "main", environment: "elsewhere" });
    await calm(journey);
    const delivery = journey.github.deliveries().findLast((one) => one.event === "deployment" && one.repository === shop.id);
    const payload = JSON.parse(delivery?.request.payload ?? "{}");
    const creator = { ...payload.deployment.creator, login: "vercel[bot]", type: "Bot" };
    await deliver(journey, "deployment", {
      ...payload,
      deployment: { ...payload.deployment, environment: "staging", creator, performed_via_github_app: null },
    });
    await calm(journey);
    expect(shop.deployments()[0]?.statuses).toEqual([]);
  });

  it("twice for the same commit deploys it once, and says so of the other one", async () => {
    const shop = await open(
      file.replace("target: directory, with: { path: staging }", `target: command, with: { run: "${held}" }`),
    );
    await shop.createDeployment({ by: "mira", ref: "main", environment: "staging" });
    await heldCommand(journey.folder);
    const second = await shop.createDeployment({ by: "jonas", ref: "main", environment: "staging" });
    await handled(journey);
    await letGo(journey.folder);
    await calm(journey);
    const [first, other] = shop.deployments();
    expect(first?.statuses.at(-1)?.state).toBe("success");
    expect(other).toMatchObject({ id: second, statuses: [{ state: "inactive" }] });
  });
});
