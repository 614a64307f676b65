/** Where a line begins something that GitHub does not show as plain text, and what ends it. */
interface Hidden {
  readonly ends: (line: string) => boolean;
}

/**
 * The lines of a comment that GitHub shows as plain text at the left edge: none of a quote, of a code block or of what HTML hides. In
 * doubt a line is left out: a command that is not obeyed costs its author a second try. https://github.github.com/gfm/
 */
export function plainLines(body: string): readonly string[] {
  const plain: string[] = [];
  let hidden: Hidden | null = null;
  let quoted = false;
  for (const line of body.split(/\r\n|\n|\r/)) {
    if (hidden !== null) {
      if (hidden.ends(line)) hidden = null;
      continue;
    }
    hidden = hiddenFrom(line);
    // A quote goes on without its ">" until an empty line: https://github.github.com/gfm/#lazy-continuation-line
    quoted = /^[\s>*+\-\d.)]*>/.test(line) || (quoted && line.trim() !== "");
    const isIndented = line.startsWith(" ") || line.startsWith("\t");
    if (!quoted && !isIndented && (hidden === null || line.startsWith("/"))) plain.push(line);
  }
  return plain;
}

function hiddenFrom(line: string): Hidden | null {
  return fenceFrom(line) ?? commentFrom(line) ?? rawFrom(line);
}

/** https://github.github.com/gfm/#fenced-code-blocks */
function fenceFrom(line: string): Hidden | null {
  const [start = "", fence] = /^ {0,3}(`{3,}|~{3,})/.exec(line) ?? [];
  if (fence === undefined || (fence.startsWith("`") && line.includes("`", start.length))) return null;
  const mark = fence.charAt(0);
  return {
    ends: (later) => {
      const text = later.trim();
      return /^ {0,3}\S/.test(later) && text.length >= fence.length && text === mark.repeat(text.length);
    },
  };
}

/** A comment of HTML that is still open at the end of the line. */
function commentFrom(line: string): Hidden | null {
  const start = line.lastIndexOf("<!--");
  if (start < 0 || line.includes("-->", start + "<!--".length)) return null;
  return { ends: (later) => later.includes("-->") };
}

/** https://github.github.com/gfm/#html-blocks: what stands in these is code, or is not shown. */
function rawFrom(line: string): Hidden | null {
  const tag = /<(pre|code|script|style|textarea)\b/i.exec(line)?.[1]?.toLowerCase();
  if (tag === undefined || line.toLowerCase().includes(`</${tag}>`)) return null;
  return { ends: (later) => later.toLowerCase().includes(`</${tag}>`) };
}
