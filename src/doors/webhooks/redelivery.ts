import type { Query } from "../../database/connection.ts";

/** Whether a receipt repeats a delivery that was handled before: somebody pressed GitHub's "Redeliver" and wants it done again. */
export async function isRedelivery(db: Query, receipt: number): Promise<boolean> {
  const earlier = await db
    .selectFrom("receipt")
    .innerJoin("receipt as this", (join) => join.onRef("this.guid", "=", "receipt.guid").on("this.id", "=", receipt))
    .select("receipt.id")
    .where("receipt.id", "<", receipt)
    .where("receipt.state", "=", "handled")
    .limit(1)
    .executeTakeFirst();
  return earlier !== undefined;
}
