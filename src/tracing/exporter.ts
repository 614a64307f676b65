import type { Logger } from "pino";
import { otlp, type Span } from "./span.ts";

export interface ExporterOptions {
  /** The collector, without `/v1/traces`. */
  readonly endpoint: string;
  /** As a collector in the cloud asks for them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly log: Logger;
  /** Milliseconds between two requests, and until one counts as unanswered; tests are in a hurry. */
  readonly every?: number;
  readonly patience?: number;
}

export interface Exporter {
  /** Keeps a span until it is sent. Costs the caller nothing, whatever the collector does. */
  add(span: Span): void;
  /** Sends what is left, for two seconds at most. */
  stop(): Promise<void>;
}

/** Spans that wait at most: of a collector that is down for long the oldest are lost. */
const most = 4_096;
const atOnce = 512;
const lastPatience = 2_000;

/** Sends spans to a collector by OTLP over HTTP, in JSON. */
export function startExporter({ endpoint, headers, log, every = 5_000, patience = 10_000 }: ExporterOptions): Exporter {
  const queue: Span[] = [];
  const closing = new AbortController();
  let lost = 0;
  let isDown = false;
  let sending: Promise<void> | null = null;
  const timer = setInterval(() => void flush(), every).unref();

  function flush(): Promise<void> {
    sending ??= sendAll().finally(() => {
      sending = null;
    });
    return sending;
  }

  async function sendAll(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.splice(0, atOnce);
      const answer = await send(batch);
      if (answer === "later") {
        queue.unshift(...batch);
        shorten();
        return;
      }
    }
  }

  async function send(batch: readonly Span[]): Promise<"done" | "later"> {
    try {
      const answer = await fetch(`${endpoint}/v1/traces`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(otlp(batch)),
        redirect: "error",
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(patience)]),
      });
      await answer.body?.cancel();
      if (answer.ok) up();
      else down(new Error(`it answers ${answer.status}`));
      return [429, 502, 503, 504].includes(answer.status) ? "later" : "done";
    } catch (error) {
      down(error);
      return "later";
    }
  }

  function down(error: unknown): void {
    if (!isDown) log.warn({ err: error, endpoint }, "the collector does not take traces; they wait, within bounds");
    isDown = true;
  }

  function up(): void {
    if (isDown) log.info({ endpoint, lost }, "the collector takes traces again");
    isDown = false;
    lost = 0;
  }

  function shorten(): void {
    lost += queue.splice(0, queue.length - most).length;
  }

  return {
    add(span) {
      queue.push(span);
      if (queue.length > most) shorten();
    },
    async stop() {
      clearInterval(timer);
      const late = setTimeout(() => closing.abort(), lastPatience);
      await flush();
      clearTimeout(late);
    },
  };
}
