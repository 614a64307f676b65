import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { keepSecretKey, openSecretKey, secretKey } from "../../src/secrets/key.ts";
import { seal, unseal } from "../../src/secrets/seal.ts";
import { listSecrets, nameProblem, readSecret, removeSecret, resealAll, setSecret } from "../../src/secrets/store.ts";
import { engines } from "../support/engines.ts";

const key = secretKey(new Uint8Array(32).fill(7));
const other = secretKey(new Uint8Array(32).fill(8));

describe.each(engines())("secrets on %s", (_name, storage) => {
  const shop = { repository: 1, environment: null, name: "TOKEN" };
  const production = { ...shop, environment: "production" };

  it("come back as they were set", async () => {
    const database = await storage.open();
    await database.write((tx) => setSecret(tx, key, shop, "süß\nund lang"));
    expect(await database.read((db) => readSecret(db, key, shop))).toBe("süß\nund lang");
    expect(await database.read((db) => readSecret(db, key, { ...shop, name: "OTHER" }))).toBeNull();
    expect(await database.read((db) => readSecret(db, key, { ...shop, repository: 2 }))).toBeNull();
  });

  it("of an environment come before those of the repository, and nowhere else", async () => {
    const database = await storage.open();
    await database.write((tx) => setSecret(tx, key, shop, "for all"));
    await database.write((tx) => setSecret(tx, key, production, "for production"));
    const read = (environment: string | null) => database.read((db) => readSecret(db, key, { ...shop, environment }));
    expect(await read("production")).toBe("for production");
    expect(await read("staging")).toBe("for all");
    expect(await read(null)).toBe("for all");
    await database.write((tx) => removeSecret(tx, shop));
    expect(await read("staging")).toBeNull();
    expect(await read("production")).toBe("for production");
  });

  it("are replaced when set again, listed without values, and gone when removed", async () => {
    const database = await storage.open();
    await database.write((tx) => setSecret(tx, key, shop, "old"));
    await database.write((tx) => setSecret(tx, key, shop, "new"));
    const listed = await database.read((db) => listSecrets(db, 1));
    expect(listed).toMatchObject([{ name: "TOKEN", environment: null }]);
    expect(JSON.stringify(listed)).not.toContain("new");
    expect(await database.write((tx) => removeSecret(tx, shop))).toBe(true);
    expect(await database.write((tx) => removeSecret(tx, shop))).toBe(false);
    expect(await database.read((db) => listSecrets(db, 1))).toEqual([]);
  });

  it("open with no other key, and say what to do", async () => {
    const database = await storage.open();
    await database.write((tx) => setSecret(tx, key, shop, "value"));
    await expect(database.read((db) => readSecret(db, other, shop))).rejects.toThrow(
      "The secret TOKEN cannot be opened: it was sealed with another SECRET_KEY; set it again with bin/signalbox secret set",
    );
  });

  it("are all sealed anew when the key is rotated, or none", async () => {
    const database = await storage.open();
    await database.write((tx) => setSecret(tx, key, shop, "one"));
    await database.write((tx) => setSecret(tx, key, production, "two"));
    expect(await database.write((tx) => resealAll(tx, key, other))).toBe(2);
    expect(await database.read((db) => readSecret(db, other, shop))).toBe("one");
    await database.write((tx) => setSecret(tx, key, { ...shop, name: "STRAY" }, "three"));
    await expect(database.write((tx) => resealAll(tx, other, key))).rejects.toThrow("another SECRET_KEY");
    expect(await database.read((db) => readSecret(db, other, production))).toBe("two");
  });

  it("moved to another row by somebody who can write the database do not open there", async () => {
    const database = await storage.open();
    await database.write((tx) => setSecret(tx, key, production, "value"));
    await database.write((tx) => tx.db.updateTable("secret").set({ environment: "staging" }).execute());
    await expect(database.read((db) => readSecret(db, key, { ...shop, environment: "staging" }))).rejects.toThrow(
      "TOKEN cannot be opened",
    );
  });
});

describe("sealing", () => {
  it("never gives the same bytes twice, and shows nothing of the text", () => {
    expect(seal(key, "hidden text", "a")).not.toEqual(seal(key, "hidden text", "a"));
    expect(Buffer.from(seal(key, "hidden text", "a")).toString("latin1")).not.toContain("hidden");
  });

  it("notices every changed bit", () => {
    const sealed = seal(key, "x", "a");
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => unseal(key, changed, "a")).toThrow();
    }
  });

  it("refuses what is cut short", () => {
    expect(() => unseal(key, new Uint8Array([1, 2, 3]), "a")).toThrow("no sealed secret");
  });
});

describe("the key", () => {
  const folders: string[] = [];
  const folder = () => {
    const made = mkdtempSync(join(tmpdir(), "signalbox-key-"));
    folders.push(made);
    return made;
  };
  afterEach(() => {
    for (const one of folders.splice(0)) rmSync(one, { recursive: true });
  });

  it("is made once in the data directory, for the server's user alone", () => {
    const data = folder();
    const made = openSecretKey(null, data);
    expect(openSecretKey(null, data)).toEqual(made);
    expect(statSync(join(data, "secret.key")).mode & 0o777).toBe(0o600);
  });

  it("comes from the settings where it stands there, and no file is made", () => {
    const data = folder();
    expect(openSecretKey(key.bytes, data).id).toBe(key.id);
    expect(() => readFileSync(join(data, "secret.key"))).toThrow();
  });

  it("is not replaced when its file is damaged: the secrets would be lost for good", () => {
    const data = folder();
    writeFileSync(join(data, "secret.key"), "half");
    expect(() => openSecretKey(null, data)).toThrow("restore it, or remove the file and set all secrets again");
    expect(readFileSync(join(data, "secret.key"), "utf8")).toBe("half");
  });

  it("is replaced as a whole by another one", () => {
    const data = folder();
    keepSecretKey(key, data);
    keepSecretKey(other, data);
    expect(openSecretKey(null, data).id).toBe(other.id);
    expect(readdirSync(data)).toEqual(["secret.key"]);
  });
});

describe("names of secrets", () => {
  it.each(["TOKEN", "_x", "slack_webhook2"])("may be %s", (name) => expect(nameProblem(name)).toBeNull());
  it.each(["", "1A", "A-B", "A B", "SIGNALBOX_SHA", "PATH", "a".repeat(101)])("may not be %j", (name) =>
    expect(nameProblem(name)).not.toBeNull(),
  );
});
