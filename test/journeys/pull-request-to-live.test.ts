import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { statusBecomes, useJourneys } from "../support/journey.ts";
import { until } from "../support/until.ts";

const file = `
checks:
  test:
    run: sh test.sh
environments:
  staging:
    trigger: merge
    target: directory
    with: { path: staging, from: site }
    url: https://staging.example.com
  production:
    after: staging
    target: directory
    with: { path: production, from: site }
`;

describe("from a pull request to a live site", () => {
  const journeys = useJourneys();

  it("turns red, then green, is merged and goes live on staging and production", async () => {
    const { github, folder } = await journeys.start();
    const shop = await github.repository({
      owner: "acme",
      name: "shop",
      files: { ".github/signalbox.yml": file, "test.sh": "grep -q Welcome site/index.html\n", "site/index.html": "Welcome\n" },
      permissions: { mira: "write" },
    });

    const broken = await shop.commit({
      branch: "autumn",
      from: "main",
      files: { "site/index.html": "Autumn\n" },
      message: "Autumn",
      author: "mira",
    });
    const number = await shop.openPullRequest({ title: "Autumn", head: "autumn", author: "mira" });
    expect((await statusBecomes(shop, broken, "signalbox/test", "failure")).description).toMatch(
      /^Failed: sh test\.sh exited with 1 after \d+ s$/,
    );
    await statusBecomes(shop, broken, "signalbox", "failure");

    const fixed = await shop.commit({
      branch: "autumn",
      files: { "site/index.html": "Welcome, autumn\n" },
      message: "Fix",
      author: "mira",
    });
    expect((await statusBecomes(shop, fixed, "signalbox/test", "success")).description).toMatch(/^Passed in \d+ s$/);
    await statusBecomes(shop, fixed, "signalbox", "success");

    const merged = await shop.merge(number, { by: "mira" });
    for (const environment of ["staging", "production"]) {
      const deployment = await until(`${environment} is live`, () =>
        shop.deployments().find((one) => one.environment === environment && one.statuses.at(-1)?.state === "success"),
      );
      expect(deployment.sha).toBe(merged);
      const page = join(folder, "sites", "acme", "shop", environment, "current", "index.html");
      expect(await readFile(page, "utf8")).toBe("Welcome, autumn\n");
    }
  });
});
