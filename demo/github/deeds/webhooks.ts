import { randomUUID } from "node:crypto";
import type { App, World } from "../world.ts";
import { DROPPED, headersOf, post } from "./webhook-request.ts";

/** One event on its way to the App's webhook address, as it was when it happened. */
export interface Occurrence {
  readonly event: string;
  readonly action: string | null;
  readonly installation: number | null;
  readonly repository: number | null;
  /** The JSON text, so that nothing that happens later can change it. */
  readonly payload: string;
}

/** One attempt to deliver: `GET /app/hook/deliveries` lists them. */
export interface Delivery extends Omit<Occurrence, "payload"> {
  readonly id: number;
  readonly guid: string;
  readonly deliveredAt: Date;
  readonly redelivery: boolean;
  /** Seconds. */
  readonly duration: number;
  /** `OK`, or what went wrong: `Internal Server Error`, `timed out`, `failed to connect`. */
  readonly status: string;
  /** 0 when nobody answered. */
  readonly statusCode: number;
  readonly url: string;
  readonly request: { readonly headers: Readonly<Record<string, string>>; readonly payload: string };
  readonly response: { readonly headers: Readonly<Record<string, string>>; readonly payload: string };
}

/** `drop`: recorded as delivered, never sent. `duplicate`: sent twice with the same GUID. `delay`: sent that many milliseconds late, and what comes after it for that repository too. */
export interface WebhookFault {
  readonly webhook: "drop" | "duplicate" | { readonly delay: number };
  /** All events when missing. */
  readonly event?: string;
  /** 1 when missing. */
  readonly times?: number;
}

/** The way to the one webhook address of the App, with a memory of all that was sent. */
export interface Webhooks {
  /** Before the first call, and with `null`, nothing is sent or recorded, as for an App without a webhook address. */
  to(url: string | null): void;
  readonly address: string | null;
  /** Sends in the background; for one repository in the order of the calls. */
  send(occurrence: Occurrence): void;
  /** Sends once more with the same GUID; resolves when that is over, whatever came of it. */
  redeliver(delivery: Delivery): Promise<void>;
  fault(fault: WebhookFault): void;
  /** Oldest first. */
  readonly deliveries: readonly Delivery[];
  /** Resolves when nothing is on its way any more. */
  idle(): Promise<void>;
  close(): void;
}

/** GitHub waits ten seconds and never tries again by itself: https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries */
const PATIENCE = 10_000;

export interface WebhookOptions {
  /** How webhooks are encoded. */
  readonly contentType?: "json" | "form";
  /** Milliseconds until a delivery counts as timed out; GitHub's ten seconds when missing. */
  readonly webhookPatience?: number;
}

/** Starts with no address: nothing is sent before `to`. */
export function createWebhooks(app: App, clock: World["clock"], id: () => number, options: WebhookOptions): Webhooks {
  const { contentType = "json", webhookPatience = PATIENCE } = options;
  const deliveries: Delivery[] = [];
  const queues = new Map<number | null, Promise<void>>();
  const underWay = new Set<Promise<void>>();
  const faults: { left: number; readonly fault: WebhookFault }[] = [];
  const closing = new AbortController();
  let address: string | null = null;

  function track(work: Promise<void>): Promise<void> {
    const tracked = work.finally(() => underWay.delete(tracked));
    underWay.add(tracked);
    return tracked;
  }

  async function attempt(occurrence: Occurrence, guid: string, redelivery: boolean, url: string, dropped = false): Promise<void> {
    const { payload, ...facts } = occurrence;
    const body = contentType === "json" ? payload : new URLSearchParams({ payload }).toString();
    const headers = headersOf(app, { event: occurrence.event, guid, body, contentType });
    const startedAt = performance.now();
    const answer = dropped
      ? DROPPED
      : await post(url, headers, body, AbortSignal.any([closing.signal, AbortSignal.timeout(webhookPatience)]));
    deliveries.push({
      ...facts,
      id: id(),
      guid,
      redelivery,
      url,
      deliveredAt: clock.now(),
      duration: Math.round(performance.now() - startedAt) / 1000,
      status: answer.status,
      statusCode: answer.statusCode,
      request: { headers, payload },
      response: { headers: answer.headers, payload: answer.payload },
    });
  }

  function faultFor(event: string): WebhookFault["webhook"] | undefined {
    const found = faults.find(({ left, fault }) => left > 0 && (fault.event === undefined || fault.event === event));
    if (found) found.left -= 1;
    return found?.fault.webhook;
  }

  return {
    deliveries,
    get address() {
      return address;
    },
    to: (url) => {
      address = url;
    },
    send: (occurrence) => {
      const url = address;
      if (url === null) return;
      const guid = randomUUID();
      const fault = faultFor(occurrence.event);
      const before = queues.get(occurrence.repository) ?? Promise.resolve();
      const sent = before.then(async () => {
        if (typeof fault === "object") await pause(fault.delay, closing.signal);
        await attempt(occurrence, guid, false, url, fault === "drop");
        if (fault === "duplicate") await attempt(occurrence, guid, false, url);
      });
      queues.set(occurrence.repository, sent);
      track(sent);
    },
    redeliver: (delivery) =>
      track(attempt({ ...delivery, payload: delivery.request.payload }, delivery.guid, true, address ?? delivery.url)),
    fault: (fault) => {
      faults.push({ left: fault.times ?? 1, fault });
    },
    idle: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    close: () => closing.abort(),
  };
}

function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    stop.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
