import type { Run } from "../../../runs/run.ts";
import type { Delivery } from "../receipts.ts";

export function deliveryJson(delivery: Delivery, caused: readonly Run[]) {
  const { id, guid, event, action, state, attempts, error, receivedAt, finishedAt } = delivery;
  return {
    id,
    guid,
    event,
    action,
    state,
    attempts,
    error,
    received_at: receivedAt,
    finished_at: finishedAt,
    runs: caused.map((run) => run.id),
  };
}
