import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { createMask } from "../../src/secrets/mask.ts";

function masked(values: readonly string[], pieces: readonly (string | Uint8Array)[]): string {
  const mask = createMask();
  for (const value of values) mask.add(value);
  const passed = pieces.map((piece) => mask.pass(typeof piece === "string" ? Buffer.from(piece) : piece));
  return Buffer.concat([...passed, mask.rest()]).toString("utf8");
}

/** The same, slowly: each byte that belongs to a value is looked for by itself. */
function blackened(text: string, values: readonly string[]): string {
  const inside = Array.from(text, () => false);
  /** Between two bytes that one value covers nothing ends. */
  const joined = Array.from(text, () => false);
  for (const value of values) {
    for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1)) {
      inside.fill(true, at, at + value.length);
      joined.fill(true, at + 1, at + value.length);
    }
  }
  return Array.from(text, (letter, at) => (!inside[at] ? letter : joined[at] ? "" : "***")).join("");
}

describe("the mask", () => {
  const secret = "s3cr3t-Tökén/+=?";

  it("takes a value out of a line", () => {
    expect(masked([secret], [`token is ${secret}.\n`])).toBe("token is ***.\n");
  });

  it("takes it out wherever the pieces are cut", () => {
    const bytes = Buffer.from(`a ${secret} b ${secret}${secret} c`);
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(masked([secret], pieces)).toBe("a *** b ****** c");
      }),
    );
  });

  it.each([
    ["base64", Buffer.from(secret).toString("base64")],
    ["base64 behind a user's name", Buffer.from(`me:${secret}`).toString("base64")],
    ["base64 behind a longer one", Buffer.from(`user:${secret}`).toString("base64")],
    ["base64url", Buffer.from(secret).toString("base64url")],
    ["a URL", encodeURIComponent(secret)],
    ["JSON", JSON.stringify({ token: secret })],
  ])("takes out what %s makes of it", (_form, text) => {
    const out = masked([secret], [text]);
    expect(out).toContain("***");
    expect(Buffer.from(out, "base64").toString("latin1")).not.toContain("s3cr3t-T");
    expect(out).not.toContain("s3cr3t");
  });

  it("takes out each line of a value with several, as a key has them", () => {
    const key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQE\n-----END KEY-----\n";
    expect(masked([key], ["  MIIEvQIBADANBg\n  kqhkiG9w0BAQE\n"])).toBe("  ***\n  ***\n");
  });

  it("leaves what only looks like the beginning of a value", () => {
    expect(masked([secret], ["s3cr3t", "-", "nothing"])).toBe("s3cr3t-nothing");
    expect(masked([secret], ["ends with s3cr3t-T"])).toBe("ends with s3cr3t-T");
  });

  it("leaves bytes that are no text as they are", () => {
    const bytes = Buffer.from([0, 255, 254, 128, 10]);
    const mask = createMask();
    mask.add(secret);
    expect(Buffer.concat([mask.pass(bytes), mask.rest()])).toEqual(bytes);
  });

  it("does not mask by a value of three letters, which would tear holes into every line", () => {
    expect(masked(["abc"], ["abcabc"])).toBe("abcabc");
  });

  it("never lets a value through, whatever it is and however it is cut", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 5, maxLength: 40, unit: "grapheme" }),
        fc.array(fc.string(), { maxLength: 5 }),
        fc.nat(30),
        (value, around, size) => {
          fc.pre(value.trim().length >= 5 && !value.includes("*"));
          const text = Buffer.from(around.join(value) + value);
          const step = size + 1;
          const pieces = Array.from({ length: Math.ceil(text.length / step) }, (_, index) =>
            text.subarray(index * step, (index + 1) * step),
          );
          const out = masked([value], pieces);
          expect(out.replaceAll("***", "\u0000")).not.toContain(value);
        },
      ),
    );
  });

  it("makes one of values that overlap, and takes out all of both", () => {
    expect(masked(["abcdef", "defghi"], ["-abcdefghi-"])).toBe("-***-");
    expect(masked(["abab"], ["xababab"])).toBe("x***");
    expect(masked(["abcd", "abcdefgh"], ["abcdefgh abcd abcdefg"])).toBe("*** *** ***efg");
  });

  it("takes out each byte of each value and no other, whatever values are added when and however the text is cut", () => {
    // Two letters make values that overlap, repeat and begin like each other; they look like no form of each other.
    const letters = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 4, maxLength: 9 });
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 80 });
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 4 }), text, fc.array(fc.nat(80), { maxLength: 8 }), (values, whole, cuts) => {
        const at = [0, ...cuts.filter((cut) => cut < whole.length).toSorted((a, b) => a - b), whole.length];
        const pieces = at.slice(1).map((end, index) => whole.slice(at[index], end));
        expect(masked(values, pieces)).toBe(blackened(whole, values));
      }),
      { numRuns: 1_000 },
    );
  });

  it("takes out a value that is added in the middle of the stream from there on, also where its beginning was held back", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 4, maxLength: 9 });
    fc.assert(
      fc.property(letters, letters, fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 40 }), (one, other, text) => {
        const mask = createMask();
        mask.add(one);
        const before = mask.pass(Buffer.from(text));
        mask.add(other);
        const after = mask.pass(Buffer.from(`${text}${other}${one}`));
        const out = Buffer.concat([before, after, mask.rest()]).toString();
        expect(out).not.toContain(one);
        expect(Buffer.concat([after, mask.rest()]).toString()).not.toContain(other);
      }),
      { numRuns: 1_000 },
    );
  });

  it("masks a whole text, an error's message", () => {
    const mask = createMask();
    mask.add(secret);
    expect(mask.text(`401 for ${secret} at ü`)).toBe("401 for *** at ü");
  });
});
