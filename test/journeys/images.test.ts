import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { statusBecomes, useSharedJourney } from "../support/journey.ts";
import { canUseImages, imagesSkipped, importImage, makeSmallSystem, podman } from "../support/podman.ts";

const name = `localhost/signalbox-test-${randomUUID()}`;

(canUseImages ? describe : describe.skip)(`a check with an image${imagesSkipped}`, () => {
  const journey = useSharedJourney();
  let made: string;
  beforeAll(async () => {
    made = await mkdtemp(join(tmpdir(), "signalbox-image-"));
    await makeSmallSystem(join(made, "root"));
    importImage(join(made, "root"), name, ["PATH=/opt:/bin"]);
  });
  afterAll(async () => {
    podman("rmi", "--force", name);
    await rm(made, { recursive: true, force: true });
  });

  async function propose(image: string, run: string) {
    const file = `checks:\n  test:\n    image: ${image}\n    run: |\n      ${run}\n`;
    const shop = await journey.repository({ ".github/signalbox.yml": file });
    const sha = await shop.commit({ branch: "autumn", from: "main", files: { autumn: "" }, message: "Autumn", author: "mira" });
    await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    return { shop, sha };
  }

  it("runs with the image's tools on the commit's files, and its log says which image it was", async () => {
    const { shop, sha } = await propose(name, "tool; ls; id -un");
    const { targetUrl } = await statusBecomes(shop, sha, "signalbox/test", "success");
    const page = `${journey.server.url}${new URL(targetUrl ?? "").pathname}`;
    const log = await (await fetch(`${page}/log.txt`)).text();
    expect(log).toMatch(new RegExp(`^${name}@sha256:[0-9a-f]{64}$`, "m"));
    expect(log).toContain("the tool of the image\nautumn\nroot\n");
    expect(await (await fetch(page)).text()).toContain(`Image ${name}:latest`);
  });

  it("is an error for the operator when there is no such image", async () => {
    const { shop, sha } = await propose(`${name}-nowhere`, "true");
    expect((await statusBecomes(shop, sha, "signalbox/test", "error")).description).toContain("is not on this machine");
  });

  it("never asks a registry on this machine itself", async () => {
    const { shop, sha } = await propose("127.0.0.1:5000/acme/ci", "true");
    expect((await statusBecomes(shop, sha, "signalbox/test", "error")).description).toContain("OUTBOUND_ALLOW");
  });
});
