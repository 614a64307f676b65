import { sql } from "kysely";
import type { Query } from "../database/connection.ts";
import type { Metric, Sample } from "./exposition.ts";

/** What the database knows. Each query goes along an index that holds the unfinished only, so a million runs cost nothing. */
export async function storedMetrics(db: Query, now: number): Promise<readonly Metric[]> {
  const unfinished = await db
    .selectFrom("run")
    .select(["kind", "state", sql<number>`count(*)`.as("many"), sql<number>`min(created_at)`.as("oldest")])
    .where("state", "<>", "finished")
    .groupBy(["kind", "state"])
    .execute();
  const owners = await db.selectFrom("run").select("owner").distinct().where("state", "=", "running").execute();
  const receipts = await db
    .selectFrom("receipt")
    .select([sql<number>`count(*)`.as("many"), sql<number | null>`min(received_at)`.as("oldest")])
    .where("state", "=", "received")
    .executeTakeFirstOrThrow();
  const deliveries = await db.selectFrom("receipt").select(sql<number | null>`max(id)`.as("newest")).executeTakeFirstOrThrow();
  const reports = await db
    .selectFrom("report")
    .select(sql<number>`count(*)`.as("many"))
    .whereRef("sent", "<", "wanted")
    .executeTakeFirstOrThrow();
  const messages = await db
    .selectFrom("chat_message")
    .select(sql<number>`count(*)`.as("many"))
    .whereRef("sent", "<", "wanted")
    .executeTakeFirstOrThrow();
  return [
    gauge(
      "signalbox_runs",
      "Runs that have not ended, by kind and state.",
      unfinished.map(({ kind, state, many }) => ({ labels: { kind, state }, value: Number(many) })),
    ),
    gauge(
      "signalbox_oldest_run_seconds",
      "How long ago the oldest of them was made.",
      unfinished.map(({ kind, state, oldest }) => ({ labels: { kind, state }, value: ageOf(oldest, now) })),
    ),
    gauge("signalbox_working_replicas", "Servers that have a run under way.", [{ value: owners.length }]),
    {
      name: "signalbox_deliveries_total",
      type: "counter",
      help: "Webhooks that were stored, ever.",
      samples: [{ value: deliveries.newest ?? 0 }],
    },
    gauge("signalbox_deliveries_unhandled", "Webhooks that are stored and not handled yet.", [{ value: Number(receipts.many) }]),
    gauge("signalbox_oldest_delivery_seconds", "How long the oldest of them waits.", [{ value: ageOf(receipts.oldest, now) }]),
    gauge("signalbox_reports_unsent", "What GitHub must still be told.", [{ value: Number(reports.many) }]),
    gauge("signalbox_chat_messages_unsent", "What chats must still be told.", [{ value: Number(messages.many) }]),
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, type: "gauge", help, samples };
}

function ageOf(moment: number | null, now: number): number {
  return moment === null ? 0 : Math.max(0, Math.round((now - Number(moment)) / 1_000));
}
