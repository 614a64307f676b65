import type { Database } from "../../database/connection.ts";
import { payloadFrom } from "./payload.ts";
import { receiving } from "./receiving.ts";

/** An event that somebody else has received and verified. */
export interface VerifiedEvent {
  readonly guid: string;
  readonly event: string;
  readonly payload: object;
}

/** Stores what Probot's own route took, as the ingest does with what it takes itself. */
export function receivingFromProbot(database: Database, listensTo: ReadonlySet<string>): (event: VerifiedEvent) => Promise<void> {
  const receive = receiving(database);
  return async ({ guid, event, payload }) => {
    const kept = payloadFrom(Buffer.from(JSON.stringify(payload)), "application/json");
    if (kept === null) return;
    const { json, ...facts } = kept;
    const listened = listensTo.has(event) || listensTo.has(`${event}.${facts.action}`);
    await receive({ guid, event, ...facts, body: listened ? json : null });
  };
}
