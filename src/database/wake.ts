import { EventEmitter } from "node:events";

/** What somebody may be waiting for. Rings are hints: they may be lost or doubled, so every listener also looks by itself now and then. */
export type Topic =
  | "receipts"
  | "runs"
  | "reports"
  | "gates"
  | "heads"
  | "stops"
  | "rights"
  | "chats"
  | "merges"
  | `log:${number}`;

/** Wakes those who wait; on PostgreSQL in all replicas. */
export interface Wake {
  ring(topic: Topic): void;
  /** Returns the way to stop listening. */
  on(topic: Topic, listener: () => void): () => void;
}

/** Wakes within this process. */
export function emitterWake(): Wake {
  const emitter = new EventEmitter().setMaxListeners(0);
  return {
    ring: (topic) => void emitter.emit(topic),
    on(topic, listener) {
      emitter.on(topic, listener);
      return () => emitter.off(topic, listener);
    },
  };
}
