import { channel } from "node:diagnostics_channel";

/** One request to the API of a stand-in, as it came. */
export interface Asked {
  readonly method: string;
  /** Below `/api/v3`, with the query. */
  readonly path: string;
  readonly body: string;
}

/** Hears of every request to the API of every stand-in in this process before it is answered, whoever asks: `Asked`. */
export const asked = channel("signalbox.github-on-a-laptop.asked");
