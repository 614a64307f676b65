import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { type GitHubStandIn, startGitHub } from "../../demo/github/github.ts";
import type { Repository } from "../../demo/github/repository.ts";
import { webhookPath } from "../../src/doors/http.ts";
import { probeSandbox } from "../../src/process/sandbox.ts";
import { type Server, startServer } from "../../src/server.ts";
import { readSettings } from "../../src/settings.ts";
import { freePort } from "../../test/support/free-port.ts";
import { addPast } from "./past.ts";

/** A world that is worth a picture: a shop with two environments, people at work, and something that waits. */
export interface Scene {
  readonly url: string;
  readonly github: GitHubStandIn;
  readonly server: Server;
  readonly shop: Repository;
  readonly pullRequest: number;
  end(): Promise<void>;
}

const file = `
checks:
  test:
    run:
      - { name: Install, run: sh ci/install.sh }
      - { name: Unit tests, run: sh ci/test.sh }
  lint:
    run: echo "✓ 214 files, no problems"
environments:
  production:
    after: staging
    target: directory
    with: { path: production, from: site }
    url: https://shop.example.com
    approvals: { count: 1 }
  staging:
    trigger: merge
    target: directory
    with: { path: staging, from: site }
    url: https://staging.shop.example.com
  demo:
    target: directory
    with: { path: demo, from: site }
    url: https://demo.shop.example.com
`;

const install = `echo "::group::npm ci"
i=1; while [ $i -le 40 ]; do echo "added package-$i@1.$i.0"; i=$((i+1)); done
echo "::endgroup::"
printf '\\033[32m✓\\033[0m 431 packages, no vulnerabilities\\n'
`;

const test = (fails: boolean) => `i=1; while [ $i -le 120 ]; do
  printf '\\033[32m✓\\033[0m src/module-%s.test.ts \\033[2m(%s tests)\\033[0m \\033[33m%sms\\033[0m\\n' $i $((i % 9 + 1)) $((i * 7 % 90))
  i=$((i+1)); done
${fails ? "echo '::error file=src/cart/total.ts,line=42::expected 12.35, got 12.34'; printf '\\033[31m✗ FAIL\\033[0m src/cart/total.test.ts > rounds half up\\n'; exit 1" : "printf '\\033[32m120 files passed\\033[0m\\n'"}
`;

const files = (fails = false) => ({ "ci/test.sh": test(fails) });

export async function openScene(): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "signalbox-scene-"));
  const github = await startGitHub();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const probe = await probeSandbox();
  const read = readSettings(
    {
      APP_ID: String(github.app.id),
      PRIVATE_KEY: github.app.privateKey,
      WEBHOOK_SECRET: github.app.webhookSecret,
      GITHUB_CLIENT_ID: github.app.clientId,
      GITHUB_CLIENT_SECRET: github.app.clientSecret,
      GHE_HOST: github.host,
      GHE_PROTOCOL: "http",
      HOST: "127.0.0.1",
      PORT: String(port),
      PUBLIC_URL: url,
      DATA_DIR: folder,
      ALLOWED_REPOSITORIES: "acme/*",
      SANDBOX: probe.works ? "bubblewrap" : "none",
    },
    { read: () => "" },
  );
  if (read.kind !== "settings") throw new Error(`The settings of the scene are wrong: ${JSON.stringify(read)}`);
  const server = await startServer({ settings: read.settings, log: pino({ level: "warn" }, pino.destination(2)) });
  github.webhooksTo(`${url}${webhookPath}`);
  const { shop, pullRequest } = await act(github, server);
  return {
    url,
    github,
    server,
    shop,
    pullRequest,
    async end() {
      await server.stop();
      await github.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function act(github: GitHubStandIn, server: Server): Promise<Pick<Scene, "shop" | "pullRequest">> {
  const shop = await github.repository({
    owner: "acme",
    name: "shop",
    files: { ".github/signalbox.yml": file, "ci/install.sh": install, ...files(), "site/index.html": "Welcome\n" },
    permissions: { mira: "write", jonas: "maintain", lena: "read" },
  });
  await settled(github, server);
  await addPast(server.database, shop.id, await shop.head());
  await github.repository({ owner: "acme", name: "website", files: { "README.md": "Soon\n" }, permissions: { jonas: "admin" } });
  const merge = async (branch: string, title: string, author: string, by: string) => {
    await shop.commit({ branch, from: "main", files: { [`site/${branch}.html`]: `${title}\n` }, message: title, author });
    const number = await shop.openPullRequest({ title, head: branch, author });
    await settled(github, server);
    const sha = await shop.merge(number, { by });
    await settled(github, server);
    return { number, sha };
  };
  const first = await merge("rounding", "Round half up in the cart total", "mira", "jonas");
  await approve(shop, first, "tove", github, server);
  await merge("payment", "Upgrade the payment client to 8.2", "jonas", "jonas");
  await merge("prices", "Cache the price list per currency", "mira", "jonas");
  await shop.comment({
    by: "jonas",
    number: first.number,
    body: "/lock demo Customer demonstration on Friday, please leave as it is",
  });
  await settled(github, server);

  await shop.commit({
    branch: "totals",
    from: "main",
    files: { "site/totals.html": "1\n" },
    message: "Log a warning when the stock is stale",
    author: "mira",
  });
  const pullRequest = await shop.openPullRequest({
    title: "Log a warning when the stock is stale",
    head: "totals",
    author: "mira",
  });
  await settled(github, server);
  await shop.commit({ branch: "totals", files: files(true), message: "Round totals once", author: "mira" });
  await settled(github, server);
  return { shop, pullRequest };
}

async function approve(
  shop: Repository,
  { number, sha }: { readonly number: number; readonly sha: string },
  by: string,
  github: GitHubStandIn,
  server: Server,
): Promise<void> {
  shop.permit(by, "write");
  await shop.comment({ by, number, body: `/approve production ${sha.slice(0, 7)}` });
  await settled(github, server);
}

/** Nothing is on its way any more. */
export async function settled(github: GitHubStandIn, server: Server): Promise<void> {
  for (;;) {
    const before = github.requests.length + github.deliveries().length;
    await github.idle();
    await server.settled();
    const busy = await server.database.read((db) =>
      db.selectFrom("run").select("id").where("state", "in", ["queued", "running"]).limit(1).executeTakeFirst(),
    );
    if (busy === undefined && github.requests.length + github.deliveries().length === before) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
