// @ts-check
// The server and the browser render log lines with this same module, so that a line looks the same whoever drew it.

/** @typedef {import("./ansi.js").Piece} Piece */

// One alternative for each thing that is not text, in the order they must be tried (ECMA-48, sections 5.4 to 5.6):
//   CSI … final            colours and cursor movements; cut off by the end of the line, too
//   OSC DCS SOS PM APC …   strings such as links, titles and images, up to BEL or ST or the end of the line
//   ESC … final            two and three character escapes
//   controls               all but the tab
const NOT_TEXT =
  /(?:\u001b\[|\u009b)(?<parameters>[0-?]*)[ -/]*(?<final>[@-~]?)|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c|$|(?=\u001b))|\u001b[ -/]*[0-~]?|[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** @type {typeof import("./ansi.js").piecesOf} */
export function piecesOf(line) {
  const shown = afterLastReturn(line);
  /** @type {Piece[]} */
  const pieces = [];
  let style = plain;
  let from = 0;
  for (const match of shown.matchAll(NOT_TEXT)) {
    if (match.index > from) pieces.push({ text: shown.slice(from, match.index), classes: classesOf(style) });
    from = match.index + match[0].length;
    const { parameters = "", final } = match.groups ?? {};
    if (final === "m") style = restyled(style, parameters);
  }
  if (from < shown.length) pieces.push({ text: shown.slice(from), classes: classesOf(style) });
  return pieces;
}

/**
 * A progress bar writes its line again and again; what a terminal would show in the end is the last writing.
 * @param {string} line
 */
function afterLastReturn(line) {
  const trimmed = line.replace(/\r+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("\r") + 1);
}

/**
 * @typedef {{ readonly bold: boolean, readonly dim: boolean, readonly italic: boolean, readonly underline: boolean, readonly strike: boolean,
 *   readonly inverse: boolean, readonly foreground: number | null, readonly background: number | null }} Style
 */

/** @type {Style} */
const plain = {
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
  foreground: null,
  background: null,
};

/**
 * @param {Style} style
 * @param {string} parameters
 * @returns {Style}
 */
function restyled(style, parameters) {
  // "38:2::1:2:3" and "38;2;1;2;3" are two spellings of one colour; the first has an empty place for a colour space.
  const numbers = parameters
    .replace(/(?<=[345]8:2:)\d*:(?=\d*:\d*:\d)/g, "")
    .split(/[;:]/)
    .map(Number);
  let next = style;
  for (let at = 0; at < numbers.length; at += 1) {
    const number = numbers[at] ?? 0;
    if (number === 38 || number === 48 || number === 58) {
      const [colour, used] = extendedColour(numbers.slice(at + 1));
      if (number === 38) next = { ...next, foreground: colour };
      if (number === 48) next = { ...next, background: colour };
      at += used;
    } else next = { ...next, ...change(number) };
  }
  return next;
}

/**
 * What one number of a "select graphic rendition" changes; hidden and blinking text is shown as it is.
 * @param {number} number
 * @returns {Partial<Style>}
 */
function change(number) {
  if (number === 0) return plain;
  if (number === 1) return { bold: true };
  if (number === 2) return { dim: true };
  if (number === 3) return { italic: true };
  if (number === 4 || number === 21) return { underline: true };
  if (number === 7) return { inverse: true };
  if (number === 9) return { strike: true };
  if (number === 22) return { bold: false, dim: false };
  if (number === 23) return { italic: false };
  if (number === 24) return { underline: false };
  if (number === 27) return { inverse: false };
  if (number === 29) return { strike: false };
  if (number >= 30 && number <= 37) return { foreground: number - 30 };
  if (number === 39) return { foreground: null };
  if (number >= 40 && number <= 47) return { background: number - 40 };
  if (number === 49) return { background: null };
  if (number >= 90 && number <= 97) return { foreground: number - 82 };
  if (number >= 100 && number <= 107) return { background: number - 92 };
  return {};
}

/**
 * The nearest of the theme's 16 colours, and how many numbers were used: the contrast of those 16 is ours, that of any other is anybody's.
 * @param {number[]} numbers
 * @returns {[number | null, number]}
 */
function extendedColour([kind, a = 0, b = 0, c = 0]) {
  if (kind === 2) return [nearest(a, b, c), 4];
  if (kind !== 5) return [null, 1];
  if (a < 16) return [a, 2];
  if (a >= 232) return [nearest((a - 232) * 10 + 8, (a - 232) * 10 + 8, (a - 232) * 10 + 8), 2];
  const level = (/** @type {number} */ step) => (step === 0 ? 0 : step * 40 + 55);
  const cube = a - 16;
  return [nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)), 2];
}

/**
 * @param {number} red
 * @param {number} green
 * @param {number} blue
 */
function nearest(red, green, blue) {
  const [most, least] = [Math.max(red, green, blue), Math.min(red, green, blue)];
  if (most - least < 40) return most < 64 ? 0 : most < 144 ? 8 : most < 208 ? 7 : 15;
  const middle = (most + least) / 2;
  const hue = (red > middle ? 1 : 0) + (green > middle ? 2 : 0) + (blue > middle ? 4 : 0);
  return most > 200 ? hue + 8 : hue;
}

/** @param {Style} style */
function classesOf(style) {
  const names = [];
  if (style.bold) names.push("bold");
  if (style.dim) names.push("dim");
  if (style.italic) names.push("italic");
  if (style.underline) names.push("underline");
  if (style.strike) names.push("strike");
  if (style.inverse) names.push("inverse");
  if (style.foreground !== null) names.push(`fg${style.foreground}`);
  if (style.background !== null) names.push(`bg${style.background}`);
  return names.join(" ");
}
