import { type Blackening, blacken } from "./blacken.ts";
import { type Search, searchFor } from "./search.ts";

/** Takes values out of what is written. Bytes pass through as they are; output need not be UTF-8. */
export interface Mask {
  /** From here on the value, and the forms in which programs like to print it, are replaced by `***`. Short ones are not: they would tear holes into every line. */
  add(value: string): void;
  /** The next piece of a stream. What may be the beginning of a value is held back until it is known what follows. */
  pass(piece: Uint8Array): Uint8Array;
  /** What was held back, at the end of the stream. */
  rest(): Uint8Array;
  /** A whole text, as an error's message. */
  text(text: string): string;
}

const shortest = 4;

/** A mask for one run. What it costs grows with what is written and with the values, each by itself, never with both. */
export function createMask(): Mask {
  const forms = new Map<string, Uint8Array>();
  let search: Search | null = null;
  let stream: Blackening | null = null;

  function current(): Search | null {
    if (forms.size > 0) search ??= searchFor(forms.values());
    return search;
  }

  return {
    add(value) {
      for (const form of formsOf(value)) forms.set(form.toString("latin1"), form);
      search = null;
    },
    pass(piece) {
      const now = current();
      if (now === null) return piece;
      stream = stream === null ? blacken(now) : stream.with(now);
      return stream.pass(piece);
    },
    rest: () => stream?.rest() ?? new Uint8Array(),
    text(text) {
      const now = current();
      if (now === null) return text;
      const whole = blacken(now);
      return Buffer.concat([whole.pass(Buffer.from(text)), whole.rest()]).toString("utf8");
    },
  };
}

/** The value as bytes, each of its lines, and what base64, URLs and JSON make of them. */
function formsOf(value: string): readonly Buffer[] {
  const lines = value.split(/\r?\n/);
  const texts = [...new Set([value, value.trim(), ...(lines.length > 1 ? lines.map((line) => line.trim()) : [])])].filter(
    (text) => text.length >= shortest,
  );
  return texts.flatMap((text) => {
    const encoded = encodeURIComponent(text);
    const small = encoded.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase());
    const plain = [text, encoded, encoded.replaceAll("%20", "+"), small, JSON.stringify(text).slice(1, -1)];
    return [...plain, ...base64Forms(text)].map((form) => Buffer.from(form));
  });
}

/** Base64 of a text that contains the value depends on where in it the value stands: three ways, without the characters that its neighbours colour. */
function base64Forms(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const own = encoded.slice(offset === 0 ? 0 : offset + 1, (bytes.length + offset) % 3 === 0 ? undefined : -1);
    if (own.length < 6) return [];
    return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
  });
}
