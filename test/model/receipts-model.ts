/** What receipts do, in plain values: those of one series are claimed one at a time and in order, and lost by nobody's death. */
export interface ReceiptsModel {
  readonly receipts: readonly ModelReceipt[];
  /** Every claim there ever was, also those whose lease is over. */
  readonly claims: readonly { readonly receipt: number; readonly owner: string }[];
}

export interface ModelReceipt {
  /** The repository it belongs to. */
  readonly series: number;
  readonly state: "received" | "handled" | "ignored" | "failed";
  readonly attempts: number;
  readonly notBefore: number;
  readonly owner: string | null;
  readonly leaseUntil: number;
}

export type Arrived = "listened to" | "not listened to" | "broken inside";

/** Receipts and claims are named by their place in the order in which they were made. */
export type ReceiptStep =
  | { readonly kind: "receive"; readonly series: number; readonly what: Arrived }
  /** It is acknowledged, and the only server dies: at once, or when there was time to look into it. */
  | { readonly kind: "receive and die"; readonly series: number; readonly what: Arrived; readonly wasTime: boolean }
  | { readonly kind: "claim receipts"; readonly owner: string; readonly limit: number }
  | { readonly kind: "extend leases"; readonly owner: string }
  | { readonly kind: "settle"; readonly claim: number; readonly state: "handled" | "failed" }
  | { readonly kind: "try again later"; readonly claim: number; readonly wait: number };

export const noReceipts: ReceiptsModel = { receipts: [], claims: [] };
const lease = 15_000;

/** What a step leads to, and what its caller is told. */
export function afterReceiptStep(model: ReceiptsModel, step: ReceiptStep, now: number): readonly [ReceiptsModel, string | null] {
  switch (step.kind) {
    case "receive":
      return [received(model, step.series, step.what), null];
    case "receive and die":
      return [leasesReleased(received(model, step.series, step.what)), null];
    case "claim receipts":
      return claimed(model, step.owner, step.limit, now);
    case "extend leases":
      return [each(model, (it) => (isHeld(it) && it.owner === step.owner ? { leaseUntil: now + lease } : null)), null];
    case "settle":
      return [settled(model, step.claim, { state: step.state }), null];
    case "try again later":
      return [settled(model, step.claim, { notBefore: now + step.wait }), null];
  }
}

/** The only server has died: whoever held a receipt is gone. */
export function leasesReleased(model: ReceiptsModel): ReceiptsModel {
  return each(model, (it) => (isHeld(it) ? free : null));
}

const free = { owner: null, leaseUntil: 0 };
const states = { "listened to": "received", "not listened to": "ignored", "broken inside": "failed" } as const;

function received(model: ReceiptsModel, series: number, what: Arrived): ReceiptsModel {
  // Nobody looks into what cannot be read, or is not listened to.
  const known = what === "listened to" ? series : 0;
  const receipt: ModelReceipt = { series: known, state: states[what], attempts: 0, notBefore: 0, ...free };
  return { ...model, receipts: [...model.receipts, receipt] };
}

function claimed(model: ReceiptsModel, owner: string, limit: number, now: number): readonly [ReceiptsModel, string] {
  const open = model.receipts.flatMap((receipt, index) => (receipt.state === "received" ? [{ receipt, index }] : []));
  const heads = open.filter(({ receipt, index }) => {
    const series = open.filter((other) => other.receipt.series === receipt.series);
    return series[0]?.index === index && receipt.notBefore <= now && series.every((one) => one.receipt.leaseUntil <= now);
  });
  const taken = heads.slice(0, limit).map(({ index }) => index);
  const receipts = model.receipts.map((receipt, index) =>
    taken.includes(index) ? { ...receipt, owner, leaseUntil: now + lease, attempts: receipt.attempts + 1 } : receipt,
  );
  return [{ receipts, claims: [...model.claims, ...taken.map((receipt) => ({ receipt, owner }))] }, taken.join()];
}

/** Nothing for a claim that was lost: another has it, or it is over. */
function settled(model: ReceiptsModel, number: number, values: Partial<ModelReceipt>): ReceiptsModel {
  const claim = model.claims[number];
  return each(model, (it, index) =>
    index === claim?.receipt && it.state === "received" && it.owner === claim.owner ? { ...values, ...free } : null,
  );
}

function isHeld(receipt: ModelReceipt): boolean {
  return receipt.state === "received" && receipt.leaseUntil > 0;
}

function each(
  model: ReceiptsModel,
  changed: (receipt: ModelReceipt, index: number) => Partial<ModelReceipt> | null,
): ReceiptsModel {
  return { ...model, receipts: model.receipts.map((receipt, index) => ({ ...receipt, ...changed(receipt, index) })) };
}
