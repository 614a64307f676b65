import type { Database } from "../../database/connection.ts";

/** A receipt as it arrives. `body` is `null` for what nobody listens to. */
export interface NewReceipt {
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly installation: number | null;
  readonly repository: number | null;
  readonly body: string | null;
}

/**
 * Stores receipts: resolves once the receipt is durable, rejects when it is not. Those of the same moment share one transaction: all that
 * one turn of the event loop brings, and all that arrive while as many transactions as may be are under way.
 */
export function receiving(database: Database): (receipt: NewReceipt) => Promise<void> {
  let waiting: Waiting[] = [];
  let scheduled = false;
  let underWay = 0;

  function schedule(): void {
    if (scheduled || underWay >= mostUnderWay || waiting.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      const batch = waiting.slice(0, largestBatch);
      waiting = waiting.slice(largestBatch);
      void commit(batch);
      schedule();
    });
  }

  async function commit(batch: readonly Waiting[]): Promise<void> {
    underWay += 1;
    const receipts = batch.map(({ receipt }) => receipt);
    try {
      await store(database, receipts);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      underWay -= 1;
      schedule();
    }
  }

  return (receipt) =>
    new Promise((resolve, reject) => {
      waiting.push({ receipt, resolve, reject });
      schedule();
    });
}

interface Waiting {
  readonly receipt: NewReceipt;
  resolve(): void;
  reject(error: unknown): void;
}

/** Well below the engines' limits on parameters, and a commit stays short. */
const largestBatch = 200;

/** One may reach the disk while the next is being made. */
const mostUnderWay = 2;

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
