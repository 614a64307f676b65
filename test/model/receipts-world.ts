import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import type { Database } from "../../src/database/connection.ts";
import { openJournal } from "../../src/database/journal/journal.ts";
import { recordOf } from "../../src/doors/webhooks/arrival-record.ts";
import { claim, extendLeases, releaseLeasesOfTheDead, type Settlement, settle } from "../../src/doors/webhooks/claiming.ts";
import { movedSoFar } from "../../src/doors/webhooks/mover.ts";
import { type Arrival, openReceiving, type Receiving } from "../../src/doors/webhooks/receiving.ts";
import type { Arrived, ModelReceipt, ReceiptStep } from "./receipts-model.ts";

/** Does to a real database, and on SQLite to the journal beside it, what the model does to plain values. */
export class ReceiptsWorld {
  readonly #folder: string;
  #database: Database;
  #receiving: Receiving;
  #claims: { readonly receipt: number; readonly owner: string }[] = [];

  private constructor(folder: string, database: Database, receiving: Receiving) {
    this.#folder = folder;
    this.#database = database;
    this.#receiving = receiving;
  }

  static async open(folder: string, database: Database): Promise<ReceiptsWorld> {
    return new ReceiptsWorld(folder, database, await receivingAt(folder, database));
  }

  /** Without receipts again, in the same database. */
  async clear(): Promise<void> {
    this.#claims = [];
    await this.#database.write((tx) => tx.db.deleteFrom("receipt").execute());
  }

  /** What was given to it is kept by the disk alone. */
  async close(): Promise<void> {
    await this.#receiving.stop();
  }

  async reopen(database: Database): Promise<void> {
    this.#database = database;
    this.#receiving = await receivingAt(this.#folder, database);
    await database.write(releaseLeasesOfTheDead);
  }

  async do(step: ReceiptStep): Promise<string | null> {
    const database = this.#database;
    switch (step.kind) {
      case "receive":
        await this.#receiving.receive(arrivalOf(step.series, step.what));
        await this.#receiving.settled();
        return null;
      case "receive and die":
        await this.#receiveAndDie(arrivalOf(step.series, step.what), step.wasTime);
        return null;
      case "claim receipts": {
        const claimed = await database.write((tx) => claim(tx, step.owner, step.limit));
        this.#claims.push(...claimed.map(({ id }) => ({ receipt: id, owner: step.owner })));
        const ids = await this.#ids();
        return claimed.map(({ id }) => ids.indexOf(id)).join();
      }
      case "extend leases":
        await database.write((tx) => extendLeases(tx, step.owner));
        return null;
      case "settle":
        await this.#settle(step.claim, ({ receipt }) =>
          step.state === "handled" ? { receipt, state: "handled", error: null } : { receipt, state: "failed", error: "a bug" },
        );
        return null;
      case "try again later":
        await this.#settle(step.claim, ({ receipt }) => ({
          receipt,
          state: "received",
          error: "GitHub is down",
          wait: step.wait,
        }));
        return null;
    }
  }

  /** All receipts as they are in the database, in the order in which they came. */
  async receipts(epoch: number): Promise<readonly ModelReceipt[]> {
    const rows = await this.#database.read((db) => db.selectFrom("receipt").selectAll().orderBy("id").execute());
    return rows.map((row) => ({
      series: row.series,
      state: row.state,
      attempts: row.attempts,
      notBefore: Math.max(0, row.not_before - epoch),
      owner: row.owner,
      leaseUntil: row.lease_until === 0 ? 0 : row.lease_until - epoch,
    }));
  }

  /** On SQLite the arrival is then in the journal, and in the table only if there was time; PostgreSQL has it there when it is acknowledged. */
  async #receiveAndDie(arrival: Arrival, wasTime: boolean): Promise<void> {
    const path = join(this.#folder, "receipts.journal");
    const onSqlite = this.#database.engine === "sqlite";
    if (wasTime || !onSqlite) {
      await this.#receiving.receive(arrival);
      await this.#receiving.settled();
    }
    const left = onSqlite ? readFileSync(path) : null;
    await this.#receiving.stop();
    if (left !== null) writeFileSync(path, left);
    if (!wasTime && onSqlite) {
      const journal = await openJournal({ path, released: await movedSoFar(this.#database) });
      await journal.append(recordOf(arrival, new Date()));
      await journal.close();
    }
    await this.reopen(this.#database);
  }

  async #settle(number: number, how: (claim: { readonly receipt: number }) => Settlement): Promise<void> {
    const claimed = this.#claims[number];
    if (claimed === undefined) throw new Error(`There is no claim ${number}`);
    await this.#database.write((tx) => settle(tx, claimed.owner, how(claimed)));
  }

  async #ids(): Promise<readonly number[]> {
    const rows = await this.#database.read((db) => db.selectFrom("receipt").select("id").orderBy("id").execute());
    return rows.map(({ id }) => id);
  }
}

function receivingAt(folder: string, database: Database): Promise<Receiving> {
  return openReceiving({ database, folder, listensTo: new Set(["push"]), log: pino({ level: "silent" }) });
}

function arrivalOf(series: number, what: Arrived): Arrival {
  const common = { guid: `${series}`, mediaType: "application/json" as const };
  switch (what) {
    case "listened to":
      return { ...common, event: "push", body: [Buffer.from(`{"repository":{"id":${series}}}`)] };
    case "not listened to":
      return { ...common, event: "star", body: null };
    case "broken inside":
      return { ...common, event: "push", body: [Buffer.from(`{"repository":{"id":${series}}`), Buffer.from(`,}`)] };
  }
}
