import { type NewReceipt, receiptOf, store } from "./receipt.ts";
import type { Receiving, ReceivingOptions } from "./receiving.ts";

/**
 * Stores receipts in the database itself. Those of the same moment share one transaction: all that one turn of the event loop brings, and all
 * that arrive while as many transactions as may be are under way.
 */
export function receivingDirectly({ database, listensTo, log }: Omit<ReceivingOptions, "folder">): Receiving {
  let waiting: Waiting[] = [];
  let scheduled = false;
  let stopped = false;
  const underWay = new Set<Promise<void>>();

  function schedule(): void {
    if (scheduled || underWay.size >= mostUnderWay || waiting.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      const batch = waiting.slice(0, largestBatch);
      waiting = waiting.slice(largestBatch);
      const committed = commit(batch).finally(() => {
        underWay.delete(committed);
        schedule();
      });
      underWay.add(committed);
      schedule();
    });
  }

  async function commit(batch: readonly Waiting[]): Promise<void> {
    try {
      await database.write((tx) =>
        store(
          tx,
          batch.map(({ receipt }) => receipt),
        ),
      );
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async function settled(): Promise<void> {
    while (waiting.length > 0 || underWay.size > 0)
      await (underWay.size > 0 ? Promise.all(underWay) : new Promise((resolve) => setImmediate(resolve)));
  }

  return {
    receive(arrival) {
      if (stopped) return Promise.reject(new Error("The server is stopping"));
      const receipt = receiptOf(arrival, listensTo, new Date());
      if (receipt.state === "failed") log.warn({ delivery: receipt.guid }, receipt.error ?? "");
      return new Promise((resolve, reject) => {
        waiting.push({ receipt, resolve, reject });
        schedule();
      });
    },
    settled,
    broken: () => null,
    async stop() {
      stopped = true;
      await settled();
    },
  };
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
