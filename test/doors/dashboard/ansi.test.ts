import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { lineToHtml, lineToText } from "../../../src/doors/dashboard/ansi.ts";

const esc = "\u001b";

/** The names that the style sheet knows. */
const known = /^(bold|dim|italic|underline|strike|inverse|fg([0-9]|1[0-5])|bg([0-9]|1[0-5]))$/;

/** Takes the HTML apart; fails on everything but escaped text and `<span class="…">` around it. */
function textOf(html: string): string {
  let text = "";
  let rest = html;
  while (rest !== "") {
    const [whole = "", classes, inside = ""] = /^(?:<span class="([^"<>&]+)">([^<>]*)<\/span>|[^<>]+)/.exec(rest) ?? [];
    if (whole === "") throw new Error(`neither text nor a span: ${rest}`);
    for (const name of classes?.split(" ") ?? []) if (!known.test(name)) throw new Error(`the class "${name}" is not known`);
    const content = classes === undefined ? whole : inside;
    if (/["']|&(?!(amp|lt|gt|quot|#39);)/.test(content)) throw new Error(`not escaped: ${content}`);
    text += content;
    rest = rest.slice(whole.length);
  }
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

/** Lines as an attacker would write them: escapes, cut off and nested, between markup. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "<script>",
        "</span>",
        '"',
        "'",
        "&amp;",
        "javascript:",
        "\r",
        "\t",
        "\b",
        "\u0000",
        "\u009b",
        "\u009d",
        "\u202e",
      ),
      fc.constantFrom(
        esc,
        `${esc}[`,
        `${esc}]8;;https://evil.example${esc}\\`,
        `${esc}]8;;`,
        `${esc}]0;title\u0007`,
        `${esc}P1;2|`,
        `${esc}(B`,
        `${esc}[2J`,
        `${esc}[?25l`,
      ),
      fc.array(fc.nat(300), { maxLength: 8 }).map((numbers) => `${esc}[${numbers.join(";")}m`),
      fc.array(fc.nat(300), { maxLength: 8 }).map((numbers) => `${esc}[${numbers.join(":")}m`),
      fc.constantFrom("38", "48", "58").chain((which) => fc.nat(999).map((colour) => `${esc}[${which};5;${colour}m`)),
    ),
  )
  .map((parts) => parts.join(""));

describe("a log line on a page", () => {
  it("becomes nothing but escaped text and spans of known classes, whatever it holds", () => {
    fc.assert(
      fc.property(hostile, (line) => {
        const text = textOf(String(lineToHtml(line)));
        expect(text).toBe(lineToText(line));
        expect(text).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
      }),
      { numRuns: 2_000 },
    );
  });

  it("keeps every character of a text without escapes", () => {
    const printable = fc.string({ unit: "grapheme" }).filter((text) => !/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/.test(text));
    fc.assert(fc.property(printable, (line) => expect(textOf(String(lineToHtml(line)))).toBe(line)));
  });

  it.each([
    ["colours", `${esc}[31mred${esc}[0m plain`, '<span class="fg1">red</span> plain'],
    [
      "several at once",
      `${esc}[1;4;92mgood${esc}[22mless`,
      '<span class="bold underline fg10">good</span><span class="underline fg10">less</span>',
    ],
    ["no number as a reset", `${esc}[31mred${esc}[mplain`, '<span class="fg1">red</span>plain'],
    [
      "256 colours as the nearest of sixteen",
      `${esc}[38;5;196mred${esc}[48;5;21mon blue`,
      '<span class="fg9">red</span><span class="fg9 bg12">on blue</span>',
    ],
    ["true colours as the nearest of sixteen", `${esc}[38;2;20;120;30mgreen`, '<span class="fg2">green</span>'],
    ["true colours with colons, too", `${esc}[38:2::250:240:20;1mbold yellow`, '<span class="bold fg11">bold yellow</span>'],
    ["a link's text without the link", `see ${esc}]8;;https://evil.example\u0007here${esc}]8;;\u0007!`, "see here!"],
    ["no title", `${esc}]0;owned${esc}\\text`, "text"],
    ["no cursor movements", `${esc}[2K${esc}[1Gtext${esc}[?25h`, "text"],
    ["the last state of a progress bar", "10%\r50%\r100%", "100%"],
    ["a Windows line end as none", "text\r", "text"],
    ["markup as text", "<b>&amp;</b>", "&lt;b&gt;&amp;amp;&lt;/b&gt;"],
    ["an escape that is cut off as none", `text${esc}[3`, "text"],
  ])("shows %s", (_what, line, html) => {
    expect(textOf(html)).toBe(lineToText(line));
    expect(String(lineToHtml(line)).replaceAll("</span><span", "</span><span")).toBe(html);
  });

  it("takes time in proportion to its length", () => {
    const line = `${esc}]8;;`.repeat(4_000) + `${esc}[`.repeat(4_000);
    expect(lineToText(line)).toBe("");
  });
});
