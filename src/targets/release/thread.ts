import { parentPort, Worker, workerData } from "node:worker_threads";

type Answer<Result> =
  | { readonly kind: "result"; readonly result: Result }
  /** An error crosses over as a copy that is no `Error` any more: it is taken apart instead. */
  | { readonly kind: "error"; readonly message: string; readonly code: unknown };

/**
 * Hands plain data to a file of ours that works in a thread of its own, by `answerWith`: with thousands of small files the way through Node's
 * thread pool takes several times as long as the work. Aborted, the thread ends between two of its system calls; nothing of it works any
 * more when this rejects, with the reason of `stop`.
 */
export async function inThread<Result>(file: URL, order: object, stop: AbortSignal): Promise<Result> {
  stop.throwIfAborted();
  const worker = new Worker(file, { workerData: order });
  const exit = new Promise((resolve) => worker.once("exit", resolve));
  const end = () => void worker.terminate();
  stop.addEventListener("abort", end, { once: true });
  const answer = new Promise<Answer<Result>>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(stop.aborted ? stop.reason : new Error("a thread ended without an answer")));
  });
  try {
    const given = await answer;
    if (given.kind === "result") return given.result;
    throw Object.assign(new Error(given.message), { code: given.code });
  } finally {
    stop.removeEventListener("abort", end);
    await exit;
  }
}

/** Called once by the file of a thread: does its work with what it was handed, and answers. */
export function answerWith<Order, Result>(work: (order: Order) => Result): void {
  try {
    parentPort?.postMessage({ kind: "result", result: work(workerData) } satisfies Answer<Result>);
  } catch (error) {
    const code = Error.isError(error) && "code" in error ? error.code : undefined;
    const message = Error.isError(error) ? error.message : String(error);
    parentPort?.postMessage({ kind: "error", message, code } satisfies Answer<Result>);
  }
}
