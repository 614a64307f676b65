import type { Query } from "../../database/connection.ts";

/** A delivery as it arrived once. */
export interface Delivery {
  readonly id: number;
  readonly repository: number | null;
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly receivedAt: Date;
  readonly finishedAt: Date | null;
  readonly state: "received" | "handled" | "ignored" | "failed";
  readonly attempts: number;
  readonly error: string | null;
  /** Whether its payload was kept: of what nobody listens to it is not. */
  readonly hasBody: boolean;
}

/** What GitHub told of a repository, the newest first. */
export async function listDeliveries(
  db: Query,
  { repository, before, limit }: { readonly repository: number; readonly before: number | null; readonly limit: number },
): Promise<readonly Delivery[]> {
  let query = columns(db).where("repository", "=", repository).orderBy("id", "desc").limit(limit);
  if (before !== null) query = query.where("id", "<", before);
  return (await query.execute()).map(deliveryFrom);
}

export async function findDelivery(db: Query, id: number): Promise<Delivery | null> {
  const row = await columns(db).where("id", "=", id).executeTakeFirst();
  return row === undefined ? null : deliveryFrom(row);
}

/** The payload, as GitHub sent it; `null` when it was not kept. */
export async function payloadOf(db: Query, id: number): Promise<string | null> {
  const row = await db.selectFrom("receipt").select("body").where("id", "=", id).executeTakeFirst();
  return row?.body ?? null;
}

function columns(db: Query) {
  return db
    .selectFrom("receipt")
    .select(["id", "repository", "guid", "event", "action", "received_at", "finished_at", "state", "attempts", "error"])
    .select((is) => is.case().when("body", "is", null).then(0).else(1).end().as("has_body"));
}

type Row = Awaited<ReturnType<ReturnType<typeof columns>["executeTakeFirstOrThrow"]>>;

function deliveryFrom({ received_at: receivedAt, finished_at: finishedAt, has_body: hasBody, ...row }: Row): Delivery {
  return {
    ...row,
    receivedAt: new Date(receivedAt),
    finishedAt: finishedAt === null ? null : new Date(finishedAt),
    hasBody: Number(hasBody) === 1,
  };
}
