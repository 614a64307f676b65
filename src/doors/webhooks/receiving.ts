import type { Logger } from "pino";
import type { Database } from "../../database/connection.ts";
import type { MediaType } from "./payload.ts";
import { receivingByJournal } from "./receiving-by-journal.ts";
import { receivingDirectly } from "./receiving-directly.ts";

/** A delivery as it arrived: its signature is right, and nobody has looked into it yet. */
export interface Arrival {
  readonly guid: string;
  readonly event: string;
  readonly mediaType: MediaType;
  /** In pieces, as it came; `null` for an event that nobody listens to. */
  readonly body: readonly Uint8Array[] | null;
}

/** Makes receipts of what arrives. */
export interface Receiving {
  /** Resolves once the arrival is durable, rejects when it is not. What it says stands in the table of receipts soon after, in the order of arrival. */
  receive(arrival: Arrival): Promise<void>;
  /** Resolves when all that was received stands in the table. */
  settled(): Promise<void>;
  /** Why nothing can be received any more, until a restart; `null` when it can. */
  broken(): string | null;
  /** Refuses what comes later; what is received is kept, for this process or the next one. */
  stop(): Promise<void>;
}

export interface ReceivingOptions {
  readonly database: Database;
  /** The data directory; only its server may have it open. */
  readonly folder: string;
  /** Events ("push") and actions of events ("pull_request.opened"); of all others only the GUID is kept. */
  readonly listensTo: ReadonlySet<string>;
  readonly log: Logger;
}

/**
 * On SQLite by way of a journal, which takes several times what the database would; on PostgreSQL directly, because replicas do not share
 * a disk. Resolves when what an earlier process had received stands in the table.
 */
export async function openReceiving(options: ReceivingOptions): Promise<Receiving> {
  return options.database.engine === "sqlite" ? receivingByJournal(options) : receivingDirectly(options);
}
