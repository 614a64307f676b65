import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { backUp } from "../../src/database/backup.ts";
import { type Database, openDatabase } from "../../src/database/connection.ts";
import { moveToPostgres } from "../../src/database/move.ts";
import { engines } from "../support/engines.ts";

const folders: string[] = [];
const opened: Database[] = [];
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "signalbox-moving-"));
  folders.push(made);
  return made;
}

async function open(where: string): Promise<Database> {
  const database = await openDatabase({ url: null, folder: where });
  opened.push(database);
  return database;
}

const receipt = (guid: string) => ({
  guid,
  event: "push",
  action: null,
  installation: 2,
  repository: 7,
  body: `{"guid":"${guid}"}`,
  received_at: 1_790_000_000_000,
  finished_at: null,
  state: "received" as const,
});

async function fill(database: Database, count: number): Promise<void> {
  await database.write(async (tx) => {
    for (let n = 0; n < count; n += 1)
      await tx.db
        .insertInto("receipt")
        .values(receipt(`guid-${n}`))
        .execute();
    const chunk = { attempt: 1, seq: 0, first_line: 0, lines: 1, bytes: new Uint8Array([0, 1, 255]) };
    await tx.db
      .insertInto("log_chunk")
      .values({ run: 5, ...chunk })
      .execute();
    const secret = { repository: 7, environment: "", name: "KEY", sealed: new Uint8Array([9, 0, 9]), set_at: 1 };
    await tx.db.insertInto("secret").values(secret).execute();
  });
}

const guids = (database: Database) => database.read((db) => db.selectFrom("receipt").select("guid").orderBy("id").execute());

describe("a backup", () => {
  it("is of one moment although the server goes on writing, stands alone, is for its owner only, and can be started from", async () => {
    const [place, elsewhere] = [folder(), folder()];
    const database = await open(place);
    await fill(database, 300);
    const file = join(elsewhere, "backup.db");
    let isOver = false;
    const writing = (async () => {
      for (let n = 0; !isOver; n += 1) {
        await database.write(async (tx) => {
          await tx.db
            .insertInto("receipt")
            .values([receipt(`pair-${n}`), receipt(`pair-${n}`)])
            .execute();
        });
      }
    })();
    await backUp(place, file);
    isOver = true;
    await writing;
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(`${file}-wal`)).toBe(false);

    const restored = folder();
    copyFileSync(file, join(restored, "signalbox.db"));
    const found = (await guids(await open(restored))).map(({ guid }) => guid);
    expect(found.filter((guid) => guid.startsWith("guid-"))).toHaveLength(300);
    // Never half of a transaction.
    expect(found.filter((guid) => guid.startsWith("pair-")).length % 2).toBe(0);
  });

  it("overwrites nothing, and says what there is none of", async () => {
    const place = folder();
    await expect(backUp(place, join(place, "backup.db"))).rejects.toThrow(`There is no database in ${place} (DATA_DIR)`);
    await open(place);
    await backUp(place, join(place, "backup.db"));
    await expect(backUp(place, join(place, "backup.db"))).rejects.toThrow("is there already");
  });
});

const postgres = engines().find(([, storage]) => storage.engine === "postgres")?.[1];
if (postgres !== undefined)
  describe("a move from SQLite to PostgreSQL", () => {
    it("takes everything along, bytes too, goes on counting, and is refused where something is already", async () => {
      const source = await open(folder());
      await fill(source, 250);
      await source.write((tx) => tx.db.deleteFrom("receipt").where("guid", "=", "guid-0").execute());
      const target = await postgres.open();
      const copied = await moveToPostgres(source, target);
      expect(copied).toEqual(
        expect.arrayContaining([
          { table: "receipt", rows: 249 },
          { table: "log_chunk", rows: 1 },
        ]),
      );
      expect(await guids(target)).toEqual((await guids(source)).map((row) => ({ ...row })));
      const { bytes } = await target.read((db) => db.selectFrom("log_chunk").select("bytes").executeTakeFirstOrThrow());
      expect([...bytes]).toEqual([0, 1, 255]);
      const next = await target.write((tx) =>
        tx.db.insertInto("receipt").values(receipt("next")).returning(["id", "series"]).executeTakeFirstOrThrow(),
      );
      expect(next).toEqual({ id: 251, series: 7 });
      await expect(moveToPostgres(source, target)).rejects.toThrow("The PostgreSQL database is not empty");
    });
  });
