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

/** A mask for one run. */
export function createMask(): Mask {
  const forms = new Set<string>();
  let pattern: RegExp | null = null;
  let held = "";

  function replace(text: string): string {
    return pattern === null ? text : text.replace(pattern, "***");
  }

  return {
    add(value) {
      for (const form of formsOf(value)) forms.add(form);
      // The longest first: of a value and a part of it, the value goes.
      const alternatives = [...forms].sort((a, b) => b.length - a.length).map((form) => RegExp.escape(form));
      pattern = alternatives.length === 0 ? null : new RegExp(alternatives.join("|"), "g");
    },
    pass(piece) {
      if (pattern === null && held === "") return piece;
      const text = held + Buffer.from(piece).toString("latin1");
      const from = text.length - beginningAtTheEnd(text, forms);
      const whole = safeEnd(text, from, pattern);
      held = text.slice(whole);
      return Buffer.from(replace(text.slice(0, whole)), "latin1");
    },
    rest() {
      const last = replace(held);
      held = "";
      return Buffer.from(last, "latin1");
    },
    text: (text) => Buffer.from(replace(Buffer.from(text).toString("latin1")), "latin1").toString("utf8"),
  };
}

/** How many characters at the end of the text may be the beginning of a form. */
function beginningAtTheEnd(text: string, forms: ReadonlySet<string>): number {
  let most = 0;
  for (const form of forms) {
    const first = form[0] ?? "";
    const start = Math.max(0, text.length - form.length + 1);
    for (let at = text.indexOf(first, start); at !== -1 && text.length - at > most; at = text.indexOf(first, at + 1)) {
      if (form.startsWith(text.slice(at))) {
        most = text.length - at;
        break;
      }
    }
  }
  return most;
}

/** A whole value that reaches over the cut is replaced now, not torn apart. */
function safeEnd(text: string, cut: number, pattern: RegExp | null): number {
  if (pattern === null || cut === text.length) return cut;
  let end = cut;
  for (const match of text.matchAll(pattern)) {
    if (match.index < cut && match.index + match[0].length > cut) end = match.index + match[0].length;
  }
  return end;
}

/** The value as bytes in latin1, each of its lines, and what base64, URLs and JSON make of them. */
function formsOf(value: string): readonly string[] {
  const lines = value.split(/\r?\n/);
  const texts = [...new Set([value, value.trim(), ...(lines.length > 1 ? lines.map((line) => line.trim()) : [])])].filter(
    (text) => text.length >= shortest,
  );
  return texts.flatMap((text) => {
    const encoded = encodeURIComponent(text);
    const plain = [text, encoded, encoded.replaceAll("%20", "+"), encoded.toLowerCase(), JSON.stringify(text).slice(1, -1)];
    return [...plain, ...base64Forms(text)].map((form) => Buffer.from(form).toString("latin1"));
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
