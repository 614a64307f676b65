import { setImmediate as nextTurn } from "node:timers/promises";
import type { Database } from "../../database/connection.ts";

/** A receipt as it arrives. `body` is `null` for what nobody listens to. */
export interface NewReceipt {
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly installation: number | null;
  readonly repository: number | null;
  readonly body: Uint8Array | null;
}

/**
 * Stores receipts: resolves once the receipt is durable, rejects when it is not. Those of the same moment share one transaction: all that
 * one turn of the event loop brings, and all that arrive while a commit is under way.
 */
export function receiving(database: Database): (receipt: NewReceipt) => Promise<void> {
  let waiting: Waiting[] = [];
  let busy = false;

  async function commitAll(): Promise<void> {
    while (waiting.length > 0) {
      await nextTurn();
      const batch = waiting.slice(0, largestBatch);
      waiting = waiting.slice(largestBatch);
      await commit(batch);
    }
    busy = false;
  }

  async function commit(batch: readonly Waiting[]): Promise<void> {
    try {
      await store(
        database,
        batch.map(({ receipt }) => receipt),
      );
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const { resolve } of batch) resolve();
  }

  return (receipt) =>
    new Promise((resolve, reject) => {
      waiting.push({ receipt, resolve, reject });
      if (busy) return;
      busy = true;
      void commitAll();
    });
}

interface Waiting {
  readonly receipt: NewReceipt;
  resolve(): void;
  reject(error: unknown): void;
}

/** Well below the engines' limits on parameters, and a commit stays short. */
const largestBatch = 200;

async function store(database: Database, receipts: readonly NewReceipt[]): Promise<void> {
  await database.write(async (tx) => {
    const rows = receipts.map((receipt) => ({
      ...receipt,
      received_at: tx.now,
      finished_at: receipt.body === null ? tx.now : null,
      state: receipt.body === null ? ("ignored" as const) : ("received" as const),
    }));
    await tx.db.insertInto("receipt").values(rows).execute();
    if (receipts.some(({ body }) => body !== null)) tx.ring("receipts");
  });
}
