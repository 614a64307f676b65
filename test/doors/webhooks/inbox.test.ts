import { afterEach, describe, expect, it } from "@jest/globals";
import pino from "pino";
import type { Database } from "../../../src/database/connection.ts";
import { type Inbox, type InboxEvent, type InboxOptions, startInbox } from "../../../src/doors/webhooks/inbox.ts";
import { mostAttempts } from "../../../src/doors/webhooks/retry.ts";
import { engines } from "../../support/engines.ts";
import { until } from "../../support/until.ts";

describe.each(engines())("the inbox on %s", (_name, storage) => {
  const inboxes: Inbox[] = [];
  afterEach(async () => {
    for (const inbox of inboxes.splice(0)) await inbox.stop(AbortSignal.abort());
  });

  /** Opens a database and starts inboxes whose lines of log are kept. */
  async function setUp(clock: { now: number } = { now: 1_000_000 }) {
    const database = await storage.open({ clock: () => clock.now });
    const lines: Record<string, unknown>[] = [];
    const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const start = (receive: InboxOptions["receive"], more: Partial<InboxOptions> = {}) => {
      const inbox = startInbox({ database, receive, log, ...more });
      inboxes.push(inbox);
      return inbox;
    };
    return { database, start, lines, clock };
  }

  async function arrive(
    database: Database,
    ...receipts: { name: string; repository?: number; installation?: number }[]
  ): Promise<void> {
    await database.write(async (tx) => {
      for (const { name, repository = null, installation = null } of receipts) {
        const body = JSON.stringify({ name });
        const row = {
          guid: name,
          event: "push",
          repository,
          installation,
          body,
          received_at: tx.now,
          state: "received" as const,
        };
        await tx.db.insertInto("receipt").values(row).execute();
      }
      tx.ring("receipts");
    });
  }

  const states = async (database: Database) =>
    Object.fromEntries(
      (await database.read((db) => db.selectFrom("receipt").select(["guid", "state"]).orderBy("id").execute())).map(
        ({ guid, state }) => [guid, state],
      ),
    );
  const nameOf = ({ payload }: InboxEvent) => ("name" in payload ? String(payload.name) : "");

  /** A receiver whose every call waits until it is let go. */
  function held() {
    const waiting = new Map<string, PromiseWithResolvers<void>>();
    const began: string[] = [];
    return {
      began,
      receive: (event: InboxEvent) => {
        const gate = Promise.withResolvers<void>();
        began.push(nameOf(event));
        waiting.set(nameOf(event), gate);
        return gate.promise;
      },
      finish: (name: string) => waiting.get(name)?.resolve(),
    };
  }

  class Unreachable extends Error {
    readonly retryable = true;
  }

  it("hands a receipt over with its own id, its event and its payload, and keeps that it was handled", async () => {
    const { database, start } = await setUp();
    const events: InboxEvent[] = [];
    const inbox = start(async (event) => void events.push(event));
    await arrive(database, { name: "a", repository: 1 });
    await until("it is handled", async () => (await states(database)).a === "handled");
    await inbox.idle();
    const row = await database.read((db) => db.selectFrom("receipt").selectAll().executeTakeFirstOrThrow());
    expect(events).toEqual([{ id: String(row.id), name: "push", payload: { name: "a" } }]);
    expect({ ...row }).toMatchObject({ finished_at: 1_000_000, attempts: 1, error: null, owner: null, lease_until: 0 });
  });

  it("handles what was there before it started", async () => {
    const { database, start } = await setUp();
    await arrive(database, { name: "a", repository: 1 }, { name: "b", repository: 2 });
    await start(async () => {}).idle();
    expect(await states(database)).toEqual({ a: "handled", b: "handled" });
  });

  it("keeps the order of a repository, one at a time, while other repositories go on", async () => {
    const { database, start } = await setUp();
    await arrive(
      database,
      { name: "1a", repository: 1 },
      { name: "1b", repository: 1 },
      { name: "2a", repository: 2 },
      { name: "2b", repository: 2 },
    );
    const { receive, began, finish } = held();
    const inbox = start(receive);
    await until("both repositories are busy", () => began.length === 2);
    expect(began.toSorted()).toEqual(["1a", "2a"]);
    finish("2a");
    await until("the second repository goes on", () => began.includes("2b"));
    expect(began).not.toContain("1b");
    finish("1a");
    await until("the first repository goes on", () => began.includes("1b"));
    finish("1b");
    finish("2b");
    await inbox.idle();
    expect(Object.values(await states(database))).toEqual(Array(4).fill("handled"));
  });

  it("keeps the order of an installation for what belongs to no repository", async () => {
    const { database, start } = await setUp();
    await arrive(
      database,
      { name: "a", installation: 7 },
      { name: "b", installation: 7 },
      { name: "c", installation: 8 },
      { name: "d" },
      { name: "e", repository: 7, installation: 7 },
    );
    const { receive, began, finish } = held();
    start(receive);
    await until("all but b are begun", () => began.length === 4);
    expect(began.toSorted()).toEqual(["a", "c", "d", "e"]);
    finish("a");
    await until("b begins after a", () => began.includes("b"));
  });

  it("handles no more repositories at once than it may, the oldest receipts first", async () => {
    const { database, start } = await setUp();
    await arrive(database, ...[1, 2, 3, 4].map((repository) => ({ name: `${repository}`, repository })));
    const { receive, began, finish } = held();
    start(receive, { parallel: 2 });
    await until("two are begun", () => began.length === 2);
    await arrive(database, { name: "5", repository: 5 });
    expect(began.toSorted()).toEqual(["1", "2"]);
    finish("2");
    await until("the next begins", () => began.length === 3);
    expect(began[2]).toBe("3");
  });

  it.each([
    ["the error itself", () => new Unreachable("GitHub is down")],
    ["its cause", () => new Error("no token", { cause: new Error("mint", { cause: new Unreachable("GitHub is down") }) })],
    [
      "a part of Probot's error",
      () => new AggregateError([new Error("a handler", { cause: new Unreachable("GitHub is down") })]),
    ],
  ])("tries again later, and lets the repository wait, when %s is retryable", async (_what, error) => {
    const { database, start, clock, lines } = await setUp();
    await arrive(database, { name: "1a", repository: 1 }, { name: "1b", repository: 1 }, { name: "2a", repository: 2 });
    const began: string[] = [];
    let down = true;
    const inbox = start(async (event) => {
      began.push(nameOf(event));
      if (nameOf(event) === "1a" && down) throw error();
    });
    await inbox.idle();
    expect(await states(database)).toEqual({ "1a": "received", "1b": "received", "2a": "handled" });
    clock.now += 999;
    await inbox.idle();
    expect(began.toSorted()).toEqual(["1a", "2a"]);
    down = false;
    clock.now += 1;
    await inbox.idle();
    expect(began.slice(2)).toEqual(["1a", "1b"]);
    expect(await states(database)).toEqual({ "1a": "handled", "1b": "handled", "2a": "handled" });
    expect(lines).toEqual([expect.objectContaining({ level: 40, delivery: "1a", event: "push", attempt: 1, wait: 1_000 })]);
  });

  it("gives up after many attempts in about an hour, keeps why, and goes on with the repository", async () => {
    const { database, start, clock, lines } = await setUp();
    await arrive(database, { name: "a", repository: 1 }, { name: "b", repository: 1 });
    const began = new Map<string, number[]>();
    const inbox = start(async (event) => {
      began.set(nameOf(event), [...(began.get(nameOf(event)) ?? []), clock.now]);
      if (nameOf(event) === "a") throw new Unreachable("GitHub is down");
    });
    const started = clock.now;
    while ((await inbox.idle().then(() => states(database))).a === "received") clock.now += 60_000;
    expect(began.get("a")).toHaveLength(mostAttempts);
    expect(clock.now - started).toBeGreaterThan(50 * 60_000);
    expect(clock.now - started).toBeLessThan(80 * 60_000);
    expect(await states(database)).toEqual({ a: "failed", b: "handled" });
    const row = await database.read((db) =>
      db.selectFrom("receipt").select(["error", "body"]).where("guid", "=", "a").executeTakeFirst(),
    );
    expect(row?.error).toBe("Error: GitHub is down");
    expect(row?.body).not.toBeNull();
    expect(lines.at(-1)).toMatchObject({ level: 50, delivery: "a", attempt: mostAttempts, msg: "webhook given up" });
  });

  it("tries a bug three times, then gives up, saying where it is", async () => {
    const { database, start, clock, lines } = await setUp();
    await arrive(database, { name: "a", repository: 1 }, { name: "b", repository: 1 });
    const began: string[] = [];
    const inbox = start(async (event) => {
      began.push(nameOf(event));
      if (nameOf(event) === "a") throw new AggregateError([new TypeError("x is undefined")]);
    });
    for (let minute = 0; minute < 3; minute += 1) {
      await inbox.idle();
      clock.now += 60_000;
    }
    expect(began).toEqual(["a", "a", "a", "b"]);
    expect(await states(database)).toEqual({ a: "failed", b: "handled" });
    expect(lines.at(-1)).toMatchObject({
      level: 50,
      receipt: 1,
      delivery: "a",
      err: { stack: expect.stringContaining("inbox.test.ts") },
    });
    const row = await database.read((db) => db.selectFrom("receipt").select("error").where("guid", "=", "a").executeTakeFirst());
    expect(row?.error).toBe("TypeError: x is undefined");
  });

  it("gives up a receipt that brings the server down each time", async () => {
    const { database, start } = await setUp();
    await arrive(database, { name: "a", repository: 1 });
    await database.write((tx) => tx.db.updateTable("receipt").set({ attempts: mostAttempts }).execute());
    const began: string[] = [];
    await start(async (event) => void began.push(nameOf(event))).idle();
    expect(began).toEqual([]);
    expect(await states(database)).toEqual({ a: "failed" });
  });

  it("leaves what it did not finish before the deadline to the next start", async () => {
    const { database, start, clock } = await setUp();
    await arrive(database, { name: "a", repository: 1 }, { name: "b", repository: 1 });
    const { receive, began } = held();
    const first = start(receive);
    await until("a is begun", () => began.length === 1);
    await first.stop(AbortSignal.abort());
    // On PostgreSQL the lease decides; on SQLite a start knows that the one before is dead.
    const handled: string[] = [];
    const next = start(async (event) => void handled.push(nameOf(event)));
    await until("both are handled", async () => {
      if (storage.engine === "postgres") clock.now += 15_000;
      await next.idle();
      return handled.length > 0;
    });
    expect(handled).toEqual(["a", "b"]);
  });

  it("stops when what is in flight is done, and takes nothing new", async () => {
    const { database, start } = await setUp();
    await arrive(database, { name: "a", repository: 1 }, { name: "b", repository: 1 });
    const { receive, began, finish } = held();
    const inbox = start(receive);
    await until("a is begun", () => began.length === 1);
    const stopped = inbox.stop();
    await arrive(database, { name: "c", repository: 2 });
    finish("a");
    await stopped;
    expect(began).toEqual(["a"]);
    expect(await states(database)).toEqual({ a: "handled", b: "received", c: "received" });
  });

  it("stores what was done although the database was away for a moment", async () => {
    const { database, start, lines } = await setUp();
    await arrive(database, { name: "a", repository: 1 });
    const { receive, began, finish } = held();
    const inbox = start(receive);
    await until("a is begun", () => began.length === 1);
    const rename = (from: string, to: string) => database.write((tx) => tx.db.schema.alterTable(from).renameTo(to).execute());
    await rename("receipt", "away");
    finish("a");
    await until("it has been noticed", () => lines.some(({ msg }) => msg === "the inbox cannot use its database"));
    await rename("away", "receipt");
    await inbox.idle();
    expect(await states(database)).toEqual({ a: "handled" });
  });

  it("takes a long backlog of many repositories in order", async () => {
    const { database, start } = await setUp();
    const receipts = Array.from({ length: 300 }, (_, index) => ({ name: `${index}`, repository: index % 7 }));
    await arrive(database, ...receipts);
    const order = new Map<number, number[]>();
    await start(async (event) => {
      const number = Number(nameOf(event));
      order.set(number % 7, [...(order.get(number % 7) ?? []), number]);
    }).idle();
    for (const numbers of order.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect([...order.values()].flat()).toHaveLength(300);
  });

  if (storage.engine === "postgres") {
    it("handles a repository in one replica at a time, each receipt once", async () => {
      const place = await storage.place();
      const replicas = await Promise.all([1, 2, 3].map(() => storage.openAt(place)));
      const [first] = replicas;
      if (first === undefined) throw new Error("no replica");
      const receipts = Array.from({ length: 90 }, (_, index) => ({ name: `${index}`, repository: index % 3 }));
      const [busy, handled, overlaps]: [Set<number>, number[], number[]] = [new Set(), [], []];
      for (const database of replicas) {
        const receive = async (event: InboxEvent) => {
          const number = Number(nameOf(event));
          if (busy.has(number % 3)) overlaps.push(number);
          busy.add(number % 3);
          await database.read((db) => db.selectFrom("receipt").select("id").limit(1).execute());
          busy.delete(number % 3);
          handled.push(number);
        };
        inboxes.push(startInbox({ database, receive, log: pino({ level: "silent" }), parallel: 2 }));
      }
      for (let from = 0; from < 90; from += 10) await arrive(first, ...receipts.slice(from, from + 10));
      await until("all are handled", () => handled.length >= 90);
      expect(overlaps).toEqual([]);
      expect(handled.toSorted((a, b) => a - b)).toEqual(receipts.map(({ name }) => Number(name)));
      for (const repository of [0, 1, 2]) {
        const numbers = handled.filter((number) => number % 3 === repository);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }
    });

    it("leaves a series alone while another replica handles a younger receipt of it", async () => {
      const { database, start, clock } = await setUp();
      await arrive(database, { name: "late", repository: 1 }, { name: "early", repository: 1 });
      const lease = { owner: "another replica", lease_until: clock.now + 15_000 };
      await database.write((tx) => tx.db.updateTable("receipt").set(lease).where("guid", "=", "early").execute());
      const began: string[] = [];
      const inbox = start(async (event) => void began.push(nameOf(event)));
      await inbox.idle();
      expect(began).toEqual([]);
      clock.now += 15_000;
      await inbox.idle();
      expect(began).toEqual(["late", "early"]);
    });
  }
});
