import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { openDatabase } from "../../src/database/connection.ts";
import { rememberRepository } from "../../src/github/repository.ts";
import { openSecretKey } from "../../src/secrets/key.ts";
import { readSecret } from "../../src/secrets/store.ts";

const bin = join(import.meta.dirname, "..", "..", "bin", "signalbox");
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

describe("bin/signalbox secret", () => {
  let folder = "";
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "signalbox-secret-"));
    const shop = {
      id: 7,
      installation: 2,
      owner: "acme",
      name: "shop",
      defaultBranch: "main",
      cloneUrl: "https://git.example.com/acme/shop.git",
      private: true,
    };
    const database = await openDatabase({ url: null, folder });
    await database.write((tx) => rememberRepository(tx, shop));
    await database.close();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function signalbox(
    words: readonly string[],
    input = "",
  ): Promise<{ readonly code: number | null; readonly said: string }> {
    const env = {
      PATH: process.env.PATH,
      DATA_DIR: folder,
      APP_ID: "1",
      PRIVATE_KEY: privateKey,
      WEBHOOK_SECRET: "a-long-enough-webhook-secret",
      DASHBOARD_AUTH: "none",
    };
    const child = spawn(process.execPath, [bin, "secret", ...words], { env });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece: Buffer) => (said += piece.toString()));
    child.stdin.end(input);
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, said };
  }

  async function valueIn(name: string, environment: string | null): Promise<string | null> {
    const database = await openDatabase({ url: null, folder });
    try {
      return await database.read((db) => readSecret(db, openSecretKey(null, folder), { repository: 7, environment, name }));
    } finally {
      await database.close();
    }
  }

  it("sets, lists and removes secrets, and never shows one", async () => {
    expect(await signalbox(["set", "acme/shop", "TOKEN"], "hunter2hunter2\n")).toEqual({
      code: 0,
      said: "TOKEN is set for acme/shop\n",
    });
    expect(await signalbox(["set", "acme/shop", "TOKEN", "--environment", "production"], "other-value")).toEqual({
      code: 0,
      said: "TOKEN is set for production of acme/shop\n",
    });
    expect(await valueIn("TOKEN", null)).toBe("hunter2hunter2");
    expect(await valueIn("TOKEN", "production")).toBe("other-value");

    const listed = await signalbox(["list", "ACME/Shop"]);
    expect(listed.said).toMatch(/^TOKEN {2}all environments {2}set .*\nTOKEN {2}production {2}set .*\n$/);

    expect(await signalbox(["remove", "acme/shop", "TOKEN"])).toEqual({ code: 0, said: "TOKEN is removed from acme/shop\n" });
    expect((await signalbox(["remove", "acme/shop", "TOKEN"])).code).toBe(1);
  });

  it("keeps nothing of a value in any file", async () => {
    expect((await signalbox(["set", "acme/shop", "TOKEN"], "hunter2hunter2")).code).toBe(0);
    for (const file of readdirSync(folder)) expect(readFileSync(join(folder, file)).includes("hunter2hunter2")).toBe(false);
  });

  it("rotates the key, and everything still opens", async () => {
    await signalbox(["set", "acme/shop", "TOKEN"], "hunter2hunter2");
    const before = openSecretKey(null, folder).id;
    expect(await signalbox(["rotate"])).toEqual({ code: 0, said: "1 secrets are sealed with the new key; restart the server\n" });
    expect(openSecretKey(null, folder)).toMatchObject({ previous: null });
    expect(openSecretKey(null, folder).id).not.toBe(before);
    expect(await valueIn("TOKEN", null)).toBe("hunter2hunter2");
  });

  it.each([
    [["set", "acme/shop", "A-B"], "x", 2, '"A-B" is no name of a secret'],
    [["set", "acme/shop", "TOKEN"], "", 1, "The value on standard input is empty"],
    [["set", "acme/nothing", "TOKEN"], "x", 1, "acme/nothing is not known yet: install the App on it"],
    [["set", "acme", "TOKEN"], "x", 2, '"acme" is no repository; write OWNER/REPO'],
    [["set", "acme/shop"], "x", 2, "secret set needs OWNER/REPO and a NAME"],
    [["forget"], "", 2, '"secret forget" is no command'],
  ])("%j is answered in words", async (words, input, code, said) => {
    const answer = await signalbox(words, input);
    expect(answer.code).toBe(code);
    expect(answer.said).toContain(said);
  });
});
