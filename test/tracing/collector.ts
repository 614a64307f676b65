import { z } from "zod";
import { type StandIn, startStandIn } from "../runners/stand-in.ts";

const attribute = z.strictObject({
  key: z.string().min(1),
  value: z.union([z.strictObject({ stringValue: z.string() }), z.strictObject({ intValue: z.string().regex(/^-?\d+$/) })]),
});

const span = z.strictObject({
  traceId: z.string().regex(/^(?!0{32})[0-9a-f]{32}$/),
  spanId: z.string().regex(/^(?!0{16})[0-9a-f]{16}$/),
  parentSpanId: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  name: z.string().min(1),
  kind: z.int().min(1).max(5),
  startTimeUnixNano: z.string().regex(/^\d{19}$/),
  endTimeUnixNano: z.string().regex(/^\d{19}$/),
  attributes: z.array(attribute),
  status: z.strictObject({ code: z.int().min(0).max(2), message: z.string().optional() }),
});

/** What a collector takes: https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto, as JSON. */
const request = z.strictObject({
  resourceSpans: z
    .array(
      z.strictObject({
        resource: z.strictObject({ attributes: z.array(attribute) }),
        scopeSpans: z.array(z.strictObject({ scope: z.strictObject({ name: z.string() }), spans: z.array(span) })).min(1),
      }),
    )
    .min(1),
});

export type CollectedSpan = z.infer<typeof span>;

export interface Collector extends StandIn {
  spans(): readonly CollectedSpan[];
}

/** A collector on loopback that takes nothing but OTLP in JSON as it is specified. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const server = await startStandIn(({ method, path, headers, body }) => {
    if (method !== "POST" || path !== "/v1/traces" || headers["content-type"] !== "application/json") return { status: 404 };
    const read = request.safeParse(JSON.parse(body));
    if (!read.success) return { status: 400, body: { message: z.prettifyError(read.error) } };
    spans.push(...read.data.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
    return { body: {} };
  });
  return { ...server, spans: () => spans };
}
