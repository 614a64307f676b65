import { describe, expect, it } from "@jest/globals";
import { sql } from "kysely";
import { type Database, isUniqueViolation, type Transaction } from "../../src/database/connection.ts";
import { engines } from "../support/engines.ts";

describe.each(engines())("storing on %s", (_name, storage) => {
  const receive =
    (guid: string, more: { repository?: number; error?: string } = {}) =>
    async (tx: Transaction) => {
      const row = { guid, event: "push", received_at: tx.now, state: "received" as const, ...more };
      return (await tx.db.insertInto("receipt").values(row).returning("id").executeTakeFirstOrThrow()).id;
    };
  const guids = async (database: Database) =>
    (await database.read((db) => db.selectFrom("receipt").select("guid").orderBy("id").execute())).map((row) => row.guid);
  const chunk = (seq: number, bytes: Uint8Array) => ({ run: 1, attempt: 1, seq, first_line: 0, lines: 1, bytes });

  it("gives back whole numbers up to 2^53, null and zero as they were", async () => {
    const database = await storage.open();
    for (const repository of [0, 1, -1, 2 ** 31, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      await database.write(receive(`n${repository}`, { repository }));
      const row = await database.read((db) =>
        db.selectFrom("receipt").selectAll().where("repository", "=", repository).executeTakeFirstOrThrow(),
      );
      expect({ ...row }).toMatchObject({
        repository,
        series: repository,
        installation: null,
        action: null,
        not_before: 0,
        attempts: 0,
      });
    }
  });

  it.each([
    ["empty text", ""],
    ["unicode", "Grüße, 船 👩‍👩‍👧 \u{10ffff} e\u0301"],
    ["quotes and line ends", `'";--\r\n\t\\`],
    ["text of a megabyte", "é".repeat(500_000)],
  ])("gives back %s as it was", async (_what, error) => {
    const database = await storage.open();
    await database.write(receive("a", { error }));
    const row = await database.read((db) =>
      db.selectFrom("receipt").select("error").where("error", "=", error).executeTakeFirst(),
    );
    expect(row?.error).toBe(error);
  });

  it("stores what no text column can hold, U+0000 and half a surrogate pair, as U+FFFD and finds it again", async () => {
    const database = await storage.open();
    await database.write(receive("a", { error: "a\0b\ud800c" }));
    const row = await database.read((db) =>
      db.selectFrom("receipt").select("error").where("error", "=", "a\0b\ud800c").executeTakeFirst(),
    );
    expect(row?.error).toBe("a\ufffdb\ufffdc");
  });

  it.each([
    ["no bytes", new Uint8Array()],
    ["every byte", Uint8Array.from({ length: 256 }, (_, index) => index)],
    ["part of a larger buffer", new Uint8Array([9, 0, 255, 9]).subarray(1, 3)],
  ])("gives back %s as they were", async (_what, bytes) => {
    const database = await storage.open();
    await database.write((tx) => tx.db.insertInto("log_chunk").values(chunk(1, bytes)).execute());
    const row = await database.read((db) => db.selectFrom("log_chunk").select("bytes").executeTakeFirstOrThrow());
    expect([...row.bytes]).toEqual([...bytes]);
    expect(row.bytes).toBeInstanceOf(Uint8Array);
  });

  it("counts and sums as numbers", async () => {
    const database = await storage.open();
    await database.write(receive("a", { repository: 2 ** 40 }));
    await database.write(receive("b", { repository: 2 }));
    const row = await database.read((db) =>
      db
        .selectFrom("receipt")
        .select(({ fn }) => [
          fn.countAll<number>().as("count"),
          fn.sum<number>("repository").as("sum"),
          fn.max("repository").as("max"),
        ])
        .executeTakeFirstOrThrow(),
    );
    expect({ ...row }).toEqual({ count: 2, sum: 2 ** 40 + 2, max: 2 ** 40 });
  });

  it("tells how many rows an update changed", async () => {
    const database = await storage.open();
    await database.write(receive("a"));
    const update = (guid: string) =>
      database.write((tx) => tx.db.updateTable("receipt").set({ state: "handled" }).where("guid", "=", guid).executeTakeFirst());
    expect((await update("a")).numUpdatedRows).toBe(1n);
    expect((await update("b")).numUpdatedRows).toBe(0n);
  });

  it.each([
    ["a date", new Date(), "Date"],
    ["a boolean", true, "Boolean"],
    ["undefined", undefined, "Undefined"],
    ["an object", { a: 1 }, "Object"],
    ["an array", [1], "Array"],
    ["what is no number", Number.NaN, "NaN"],
    ["a number beyond 2^53", 2 ** 60, "1152921504606847000"],
    ["a big integer beyond 2^53", 2n ** 60n, "1152921504606846976"],
  ])("refuses %s as a parameter, saying what to use", async (_what, value, named) => {
    const database = await storage.open();
    const query = database.read((db) => sql`select * from receipt where repository = ${value}`.execute(db));
    await expect(query).rejects.toThrow(named);
    await expect(query).rejects.toThrow("use whole numbers below 2^53, epoch milliseconds, 0 or 1, and JSON as text");
  });

  it("keeps everything of a write or nothing", async () => {
    const database = await storage.open();
    const failing = database.write(async (tx) => {
      await receive("lost")(tx);
      throw new Error("changed my mind");
    });
    await expect(failing).rejects.toThrow("changed my mind");
    await database.write(receive("kept"));
    expect(await guids(database)).toEqual(["kept"]);
  });

  it("never takes another caller's row along when it rolls back", async () => {
    const database = await storage.open();
    const results = await Promise.allSettled(
      Array.from({ length: 60 }, (_, index) =>
        database.write(async (tx) => {
          await receive(`${index}`)(tx);
          if (index % 3 === 0) throw new Error("roll back");
        }),
      ),
    );
    const fulfilled = results.flatMap(({ status }, index) => (status === "fulfilled" ? [`${index}`] : []));
    expect(fulfilled).toHaveLength(40);
    expect((await guids(database)).toSorted()).toEqual(fulfilled.toSorted());
  });

  it("shows readers nothing that is not committed", async () => {
    const place = await storage.place();
    const [database, other] = [await storage.openAt(place), await storage.openAt(place)];
    const during = await database.write(async (tx) => {
      await receive("a")(tx);
      return guids(other);
    });
    expect(during).toEqual([]);
    expect(await guids(other)).toEqual(["a"]);
  });

  it("does 200 writes and 200 reads at once", async () => {
    const database = await storage.open();
    const ids = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const [id] = await Promise.all([database.write(receive(`${index}`)), guids(database)]);
        return id;
      }),
    );
    expect(new Set(ids).size).toBe(200);
    expect(await guids(database)).toHaveLength(200);
  });

  it.each(["read", "write"] as const)("refuses a %s inside a write instead of waiting for itself", async (method) => {
    const database = await storage.open();
    const nested = database.write(async () => {
      await database[method](async () => {});
    });
    await expect(nested).rejects.toThrow("used inside a write");
    await database.write(receive("a"));
    expect(await guids(database)).toEqual(["a"]);
  });

  it("lets what a write has started use the database once the write is over", async () => {
    const database = await storage.open();
    const over = Promise.withResolvers<void>();
    let later: Promise<string[]> | undefined;
    await database.write(async (tx) => {
      later = over.promise.then(() => guids(database));
      await receive("a")(tx);
    });
    over.resolve();
    expect(await later).toEqual(["a"]);
  });

  it("recognises what a unique index or a primary key refuses, and nothing else", async () => {
    const database = await storage.open();
    const insert = (id: number, lines: number | null) =>
      database
        .write(async (tx) => {
          await sql`insert into log_chunk (run, attempt, seq, first_line, lines, bytes) values (${id}, 1, 1, 0, ${lines}, ${new Uint8Array()})`.execute(
            tx.db,
          );
        })
        .catch((error) => isUniqueViolation(error));
    expect(await insert(1, 1)).toBeUndefined();
    expect(await insert(1, 1)).toBe(true);
    expect(await insert(2, null)).toBe(false);
    expect(isUniqueViolation(new Error("unique"))).toBe(false);
  });

  it("ends a transaction with its first failed statement, whoever catches the error", async () => {
    const database = await storage.open();
    await database.write((tx) => tx.db.insertInto("log_chunk").values(chunk(1, new Uint8Array())).execute());
    let afterwards: unknown;
    const write = database.write(async (tx) => {
      await receive("lost")(tx);
      await tx.db
        .insertInto("log_chunk")
        .values(chunk(1, new Uint8Array()))
        .execute()
        .catch(() => {});
      await receive("refused")(tx).catch((error) => {
        afterwards = error;
      });
    });
    expect(await write.catch(isUniqueViolation)).toBe(true);
    expect(String(afterwards)).toContain("An earlier statement of this transaction failed");
    expect(await guids(database)).toEqual([]);
    await database.write(receive("next"));
    expect(await guids(database)).toEqual(["next"]);
  });

  it("rings after the commit, and not at all after a rollback", async () => {
    const database = await storage.open();
    const heard = Promise.withResolvers<string[]>();
    const seen: string[][] = [];
    database.wake.on("gates", () => guids(database).then((now) => seen.push(now)));
    database.wake.on("receipts", () => guids(database).then(heard.resolve, heard.reject));
    await expect(
      database.write(async (tx) => {
        tx.ring("gates");
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    await database.write(async (tx) => {
      tx.ring("receipts");
      await receive("a")(tx);
    });
    expect(await heard.promise).toEqual(["a"]);
    expect(seen).toEqual([]);
  });

  it("stops ringing for a listener that has left", async () => {
    const database = await storage.open();
    const rings: string[] = [];
    const both = Promise.withResolvers<void>();
    database.wake.on("runs", () => rings.push("left"))();
    database.wake.on("runs", both.resolve);
    database.wake.ring("runs");
    await both.promise;
    expect(rings).toEqual([]);
  });

  it("tells a transaction the clock's time, for all of it the same", async () => {
    const database = await storage.open({ clock: () => 1_700_000_000_123 });
    expect(await database.write(async (tx) => tx.now)).toBe(1_700_000_000_123);
    const [before, told, after] = [Date.now(), await (await storage.open()).write(async (tx) => tx.now), Date.now()];
    expect(Number.isInteger(told)).toBe(true);
    expect(told).toBeGreaterThanOrEqual(before - 1);
    expect(told).toBeLessThanOrEqual(after + 1);
  });

  it("finishes the writes that wait when it is closed, and refuses later ones", async () => {
    const place = await storage.place();
    const database = await storage.openAt(place);
    const writes = Array.from({ length: 20 }, (_, index) => database.write(receive(`${index}`)));
    await Promise.all([...writes, Promise.resolve().then(() => database.close())]);
    await expect(database.write(receive("late"))).rejects.toThrow("The database is closed");
    await expect(guids(database)).rejects.toThrow("The database is closed");
    expect(await guids(await storage.openAt(place))).toHaveLength(20);
  });

  it("may be closed twice", async () => {
    const database = await storage.open();
    await database.close();
    await database.close();
  });
});
