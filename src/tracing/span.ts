import { createHash } from "node:crypto";

/** Something that took a while, as OpenTelemetry knows it. */
export interface Span {
  readonly trace: string;
  readonly id: string;
  /** `null` for the one that a trace begins with. */
  readonly parent: string | null;
  readonly name: string;
  readonly kind: "server" | "internal" | "client";
  readonly from: Date;
  readonly to: Date;
  readonly facts: Readonly<Record<string, string | number>>;
  /** What went wrong; `null` when nothing did. */
  readonly problem: string | null;
}

/** The trace of a delivery: its GUID is one already, so that it is found by what GitHub shows. Anything else is given one of its own. */
export function traceOf(guid: string): string {
  const digits = guid.replaceAll("-", "").toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) && !/^0+$/.test(digits) ? digits : digest(guid, 16);
}

/** A span's id by what it is about, so that whoever comes later, in another process too, knows its parent. */
export function spanOf(...about: readonly (string | number)[]): string {
  return digest(about.join(" "), 8);
}

function digest(text: string, bytes: number): string {
  return createHash("sha256")
    .update(text)
    .digest("hex")
    .slice(0, 2 * bytes);
}

const kinds = { internal: 1, server: 2, client: 3 } as const;

/** The body of a request to a collector. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
export function otlp(spans: readonly Span[]): object {
  const resource = { attributes: attributes({ "service.name": "signalbox" }) };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "signalbox" }, spans: spans.map(spanJson) }] }] };
}

function spanJson({ trace, id, parent, name, kind, from, to, facts, problem }: Span): object {
  return {
    traceId: trace,
    spanId: id,
    ...(parent === null ? {} : { parentSpanId: parent }),
    name,
    kind: kinds[kind],
    startTimeUnixNano: nanoseconds(from),
    endTimeUnixNano: nanoseconds(to),
    attributes: attributes(facts),
    status: problem === null ? { code: 1 } : { code: 2, message: problem },
  };
}

/** 64 bits, so a text in JSON. */
function nanoseconds(moment: Date): string {
  return `${moment.getTime()}000000`;
}

function attributes(facts: Span["facts"]): readonly object[] {
  return Object.entries(facts).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
  }));
}
