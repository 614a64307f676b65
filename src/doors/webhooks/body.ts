import type { IncomingMessage } from "node:http";

export type Body =
  | { readonly kind: "complete" /** As they came: joining them would copy every body. */; readonly pieces: readonly Buffer[] }
  | { readonly kind: "too large" }
  | { readonly kind: "too slow" }
  /** Others are sending so much that there is no memory for this one now. */
  | { readonly kind: "crowded" }
  /** The client went away in the middle: there is nobody to answer. */
  | { readonly kind: "gone" };

export interface BodyLimits {
  /** Bytes of one body. */
  readonly largest: number;
  /** Bytes of all bodies that are being read, whoever sends them: nobody has shown a signature yet. */
  readonly together: number;
  /** Milliseconds for one body, from its head on. */
  readonly patience: number;
}

/** Reads bodies within limits that hold while reading, whatever their head promises. What is too much is left unread. */
export function bodyReader({ largest, together, patience }: BodyLimits): (request: IncomingMessage) => Promise<Body> {
  let held = 0;
  return (request) =>
    new Promise((resolve) => {
      if (Number(request.headers["content-length"] ?? 0) > largest) {
        resolve({ kind: "too large" });
        return;
      }
      const chunks: Buffer[] = [];
      let size = 0;
      const timer = setTimeout(() => end({ kind: "too slow" }), patience);
      const onData = (chunk: Buffer): void => {
        size += chunk.length;
        held += chunk.length;
        if (size > largest) end({ kind: "too large" });
        else if (held > together) end({ kind: "crowded" });
        else chunks.push(chunk);
      };
      const onEnd = (): void => end({ kind: "complete", pieces: chunks });
      const onGone = (): void => end({ kind: "gone" });
      request.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);

      function end(body: Body): void {
        clearTimeout(timer);
        held -= size;
        request.off("data", onData).off("end", onEnd).off("close", onGone);
        if (body.kind !== "complete") request.pause();
        resolve(body);
      }
    });
}
