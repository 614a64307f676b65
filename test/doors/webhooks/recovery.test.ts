import { describe, expect, it } from "@jest/globals";
import {
  endTurn,
  forgetMissed,
  keepMissed,
  keepTurn,
  missing,
  noteAsked,
  noteRefused,
  recoveryState,
  takeTurn,
} from "../../../src/doors/webhooks/missed.ts";
import { engines } from "../../support/engines.ts";

const start = 1_790_000_000_000;
const minute = 60_000;
const hour = 60 * minute;

describe.each(engines())("what GitHub delivered and never arrived, on %s", (_name, storage) => {
  async function open() {
    const clock = { now: start };
    const database = await storage.open({ clock: () => clock.now });
    return { clock, database };
  }

  const delivery = (guid: string, age = 0) => ({
    id: "9007199254740993123",
    guid,
    event: "push",
    action: null,
    repository: 7,
    deliveredAt: new Date(start - age),
  });

  const arrive = (guid: string) => ({
    guid,
    event: "push",
    action: null,
    installation: 2,
    repository: 7,
    body: null,
    received_at: start,
    finished_at: start,
    state: "ignored" as const,
  });

  it("is looked for by one process at a time, and by nobody soon after a look", async () => {
    const { clock, database } = await open();
    const take = (owner: string) => database.write((tx) => takeTurn(tx, owner, 5 * minute));
    expect(await take("one")).toEqual({ comparedUntil: null });
    if (storage.engine === "postgres") expect(await take("two")).toBeNull();
    clock.now += 59_000;
    expect(await database.write((tx) => keepTurn(tx, "one"))).toBe(true);
    await database.write((tx) => endTurn(tx, "one", { comparedUntil: start }));
    expect(await take("two")).toBeNull();
    clock.now += 5 * minute;
    expect(await take("two")).toEqual({ comparedUntil: start });
  });

  it("is looked for by another one when the first has fallen silent, which then leaves off", async () => {
    const { clock, database } = await open();
    await database.write((tx) => takeTurn(tx, "one", 0));
    clock.now += minute;
    expect(await database.write((tx) => takeTurn(tx, "two", 0))).not.toBeNull();
    expect(await database.write((tx) => keepTurn(tx, "one"))).toBe(false);
    await database.write((tx) => endTurn(tx, "one", { problem: "too late" }));
    expect(await database.read(recoveryState)).toMatchObject({ problem: null, lookedAt: null });
  });

  it("is kept once, without what arrived in any state, and asked for from the oldest on", async () => {
    const { database } = await open();
    await database.write((tx) => tx.db.insertInto("receipt").values(arrive("there")).execute());
    const listed = [delivery("new"), delivery("there"), delivery("old", hour), delivery("new", 1)];
    expect((await database.write((tx) => keepMissed(tx, listed))).toSorted()).toEqual(["new", "old"]);
    expect(await database.write((tx) => keepMissed(tx, listed))).toEqual([]);
    const asked = await database.write((tx) => missing(tx, start - 2 * hour, 10));
    expect(asked.map(({ guid, delivery }) => [guid, delivery])).toEqual([
      ["old", "9007199254740993123"],
      ["new", "9007199254740993123"],
    ]);
    expect(await database.write((tx) => missing(tx, start - minute, 10))).toHaveLength(1);
  });

  it("is asked for again after an hour, then after four more, and not once it has come or was refused", async () => {
    const { clock, database } = await open();
    await database.write((tx) => keepMissed(tx, [delivery("a"), delivery("b")]));
    const due = async () => (await database.write((tx) => missing(tx, 0, 10))).map(({ guid }) => guid);
    await database.write((tx) => noteAsked(tx, "a"));
    await database.write((tx) => noteRefused(tx, "b", "Not Found"));
    expect(await due()).toEqual([]);
    clock.now += hour;
    expect(await due()).toEqual(["a"]);
    await database.write((tx) => noteAsked(tx, "a"));
    clock.now += 4 * hour - 1;
    expect(await due()).toEqual([]);
    clock.now += 1;
    expect(await due()).toEqual(["a"]);
    await database.write((tx) => tx.db.insertInto("receipt").values(arrive("a")).execute());
    expect(await due()).toEqual([]);
    expect(await database.read(recoveryState)).toMatchObject({ found: 2, arrived: 1, refused: 1 });
    await database.write((tx) => forgetMissed(tx, start + 1));
    expect(await database.read(recoveryState)).toMatchObject({ found: 0, arrived: 0, refused: 0 });
  });
});
