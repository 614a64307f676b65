import type { Receiving } from "./receiving.ts";

/** An event that somebody else has received and verified. */
export interface VerifiedEvent {
  readonly guid: string;
  readonly event: string;
  readonly payload: object;
}

/** Receives what Probot's own route took, as the ingest does with what it takes itself. */
export function receivingFromProbot(receiving: Receiving): (event: VerifiedEvent) => Promise<void> {
  return ({ guid, event, payload }) =>
    receiving.receive({ guid, event, mediaType: "application/json", body: [Buffer.from(JSON.stringify(payload))] });
}
