import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { chromiumPath, openChromium } from "../test/support/chromium.ts";
import { openScene, type Scene } from "./screenshots/scene.ts";

/** `npm run screenshots`: plays a scene against the stand-in for GitHub and takes the pictures of `docs/screenshots`. */
const folder = join(import.meta.dirname, "..", "docs", "screenshots");

interface Picture {
  readonly name: string;
  readonly dark?: boolean;
  readonly phone?: boolean;
  show(page: Page, scene: Scene): Promise<void>;
}

const pictures: readonly Picture[] = [
  { name: "environments", show: (page, { url }) => open(page, `${url}/acme/shop`) },
  { name: "environments-dark", dark: true, show: (page, { url }) => open(page, `${url}/acme/shop`) },
  { name: "environments-phone", phone: true, show: (page, { url }) => open(page, `${url}/acme/shop`) },
  {
    name: "roll-back",
    async show(page, { url }) {
      await open(page, `${url}/acme/shop`);
      await page.getByRole("button", { name: "Roll back…" }).first().click();
    },
  },
  { name: "environment", show: (page, { url }) => open(page, `${url}/acme/shop/environments/production`) },
  { name: "pull-request", show: (page, { url, pullRequest }) => open(page, `${url}/acme/shop/pulls/${pullRequest}`) },
  { name: "run", show: async (page, scene) => open(page, await failedRun(scene)) },
  { name: "run-dark", dark: true, show: async (page, scene) => open(page, await failedRun(scene)) },
  { name: "run-phone", phone: true, show: async (page, scene) => open(page, await failedRun(scene)) },
  { name: "deployment", show: async (page, scene) => open(page, await liveDeployment(scene)) },
  { name: "runs", show: (page, { url }) => open(page, `${url}/acme/shop/runs`) },
  { name: "deliveries", show: (page, { url }) => open(page, `${url}/acme/shop/deliveries`) },
  { name: "repositories", show: (page, { url }) => open(page, url) },
];

async function open(page: Page, address: string): Promise<void> {
  await page.goto(address, { waitUntil: "networkidle" });
}

async function failedRun({ url, server }: Scene): Promise<string> {
  const run = await server.database.read((db) =>
    db
      .selectFrom("run")
      .select("id")
      .where("kind", "=", "check")
      .where("outcome", "like", '{"kind":"failed"%')
      .executeTakeFirst(),
  );
  return `${url}/acme/shop/runs/${run?.id ?? 0}`;
}

async function liveDeployment({ url, server }: Scene): Promise<string> {
  const run = await server.database.read((db) =>
    db.selectFrom("run").select("id").where("name", "=", "staging").orderBy("id", "desc").executeTakeFirst(),
  );
  return `${url}/acme/shop/runs/${run?.id ?? 0}`;
}

const path = chromiumPath();
if (path === null) throw new Error("Chromium is missing: apt install chromium, or set CHROMIUM");
await mkdir(folder, { recursive: true });
const scene = await openScene();
const browser = await openChromium(path);
try {
  for (const { name, dark = false, phone = false, show } of pictures) {
    const context = await browser.newContext({
      viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 800 },
      colorScheme: dark ? "dark" : "light",
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    page.on("console", (message) => message.type() === "error" && console.error(`${name}: ${message.text()}`));
    page.on("pageerror", (error) => console.error(`${name}: ${error.message}`));
    await page.goto(`${scene.url}/login`);
    await page.getByRole("link", { name: "jonas" }).click();
    await show(page, scene);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    console.log(`docs/screenshots/${name}.png`);
    await context.close();
  }
} finally {
  await browser.close();
  await scene.end();
}
