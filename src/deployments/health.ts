import { setTimeout as delay } from "node:timers/promises";
import { guardedFetch, type OutboundMeans } from "../outbound/fetch.ts";
import { OutboundProblem } from "../outbound/problem.ts";
import type { Health } from "../repository-file/repository-file.ts";
import { renderTemplate, renderUrl, type TemplateFacts } from "../repository-file/template.ts";
import type { RunIo } from "../runs/execute.ts";
import { durationInWords } from "../runs/sentences.ts";

/** Between two questions, in milliseconds. */
const every = 1_000;
/** How long one answer may take, in milliseconds. */
const patience = 5_000;

/**
 * Asks the address of `health` every second until it answers as it should; `null` then, and what is wrong when it never does. Each answer
 * that differs is written to the log once. Rejects with the reason of `stop`.
 */
export async function checkHealth(
  health: Health,
  facts: TemplateFacts,
  io: Pick<RunIo, "stop" | "step" | "write">,
  means: OutboundMeans,
): Promise<string | null> {
  const url = renderUrl(health.url, facts);
  const expect = health.expect === null ? null : renderTemplate(health.expect, facts);
  const step = await io.step("Health check");
  const deadline = performance.now() + health.within;
  const seen = new Set<string>();
  for (;;) {
    const left = deadline - performance.now();
    const answer = await ask({ url, expect, timeout: Math.max(1, Math.min(patience, left)), stop: io.stop }, means);
    if (!seen.has(answer.said)) await io.write(Buffer.from(`${url}: ${answer.said}\n`));
    seen.add(answer.said);
    if (answer.healthy) {
      await step.end(0);
      return null;
    }
    if (performance.now() + every > deadline) break;
    await delay(every, undefined, { signal: io.stop }).catch(() => io.stop.throwIfAborted());
  }
  await step.end(1);
  const wanted = expect === null ? "a status of 2xx" : expect;
  return `the health check at ${url} did not answer with ${wanted} within ${durationInWords(health.within)}`;
}

interface Question {
  readonly url: string;
  readonly expect: string | null;
  readonly timeout: number;
  readonly stop: AbortSignal;
}

async function ask(
  { url, expect, timeout, stop }: Question,
  means: OutboundMeans,
): Promise<{ readonly healthy: boolean; readonly said: string }> {
  try {
    const response = await guardedFetch(url, { timeout, signal: stop }, means);
    const said = `answered with ${response.status}`;
    if (!response.ok || expect === null) {
      await response.body?.cancel();
      return { healthy: response.ok, said };
    }
    const healthy = (await response.text()).includes(expect);
    return { healthy, said: healthy ? `${said} and ${expect}` : `${said}, without ${expect}` };
  } catch (error) {
    if (stop.aborted) throw stop.reason;
    if (!(error instanceof OutboundProblem)) throw error;
    return { healthy: false, said: error.message };
  }
}
