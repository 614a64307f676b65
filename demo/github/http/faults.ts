import type { ServerResponse } from "node:http";

/**
 * What goes wrong with an API request instead of, or after, the deed:
 * an answer of its own (nothing is done); `cut`: the connection ends and nothing is done; `cut after`: it is done, and the connection ends without an answer;
 * `hang`: nothing is done and nothing answered; `delay`: done and answered that many milliseconds late.
 */
export interface ApiFault {
  readonly method?: string;
  /** Matched against the path below `/api/v3`, with the query. All when missing. */
  readonly path?: RegExp;
  /** 1 when missing. */
  readonly times?: number;
  readonly answer:
    | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: object }
    | { readonly delay: number }
    | "cut"
    | "cut after"
    | "hang";
}

export interface Faults {
  add(fault: ApiFault): void;
  /** The fault for this request, counted down. */
  take(method: string, path: string): ApiFault["answer"] | null;
  /** Forgets those that are left. */
  end(): void;
}

export function createFaults(): Faults {
  const waiting: { left: number; readonly fault: ApiFault }[] = [];
  return {
    add: (fault) => {
      waiting.push({ left: fault.times ?? 1, fault });
    },
    end: () => void waiting.splice(0),
    take: (method, path) => {
      const found = waiting.find(
        ({ left, fault }) => left > 0 && (fault.method ?? method) === method && (fault.path?.test(path) ?? true),
      );
      if (!found) return null;
      found.left -= 1;
      return found.fault.answer;
    },
  };
}

/** Ends the connection without a word. */
export function cut(response: ServerResponse): void {
  response.socket?.destroy();
}
