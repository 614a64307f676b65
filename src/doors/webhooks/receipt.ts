import type { Transaction } from "../../database/connection.ts";
import { payloadFrom } from "./payload.ts";
import type { Arrival } from "./receiving.ts";

/** A row of the table of receipts, as it begins. */
export interface NewReceipt {
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly installation: number | null;
  readonly repository: number | null;
  /** `null` for what nobody listens to, and for what cannot be read. */
  readonly body: string | null;
  readonly received_at: number;
  readonly state: "received" | "ignored" | "failed";
  readonly finished_at: number | null;
  readonly error: string | null;
}

/** Looks into what arrived. It was signed, so what cannot be read is a receipt too, one that has failed. */
export function receiptOf({ guid, event, mediaType, body }: Arrival, listensTo: ReadonlySet<string>, at: Date): NewReceipt {
  const time = at.getTime();
  const kept = { guid, event, received_at: time };
  if (body === null) return { ...kept, ...unknown, state: "ignored", finished_at: time, error: null };
  const [first = new Uint8Array(), ...more] = body;
  const payload = payloadFrom(
    more.length === 0 ? Buffer.from(first.buffer, first.byteOffset, first.length) : Buffer.concat(body),
    mediaType,
  );
  if (payload === null) return { ...kept, ...unknown, state: "failed", finished_at: time, error: unreadable };
  const { json, ...facts } = payload;
  if (listensTo.has(event) || listensTo.has(`${event}.${facts.action}`))
    return { ...kept, ...facts, body: json, state: "received", finished_at: null, error: null };
  return { ...kept, ...facts, body: null, state: "ignored", finished_at: time, error: null };
}

/** Stores receipts in their order, and wakes who handles them. */
export async function store(tx: Transaction, receipts: readonly NewReceipt[]): Promise<void> {
  await tx.db.insertInto("receipt").values(receipts).execute();
  if (receipts.some(({ state }) => state === "received")) tx.ring("receipts");
}

const unknown = { action: null, installation: null, repository: null, body: null };
const unreadable = "The payload is signed, but it is not a JSON object: nothing was done with it";
