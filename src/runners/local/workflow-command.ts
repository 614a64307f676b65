/** A line of output that is addressed to whoever runs the command, its escapes undone. */
export type WorkflowCommand =
  | { readonly kind: "group"; readonly name: string }
  | { readonly kind: "endgroup" }
  | { readonly kind: "add-mask"; readonly value: string }
  | { readonly kind: "annotation"; readonly annotation: Annotation };

/** What a tool says of a place in the code. */
export interface Annotation {
  readonly level: "error" | "warning" | "notice";
  readonly title: string;
  readonly message: string;
  /** As in `src/cart.ts:12:5`; empty when the tool names none. */
  readonly place: string;
}

/**
 * Reads one line without its end; null for one that is no command, or none that we know: that is ordinary output.
 * See https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
export function parseWorkflowCommand(line: string): WorkflowCommand | null {
  const match = /^[ \t]*::([a-z-]+)(?: ([^\n]*?))?::/.exec(line);
  if (match === null) return null;
  const [beginning, name, properties = ""] = match;
  const message = unescapeMessage(line.slice(beginning.length));
  switch (name) {
    case "group":
      return { kind: "group", name: oneLine(message) };
    case "endgroup":
      return { kind: "endgroup" };
    case "add-mask":
      return { kind: "add-mask", value: message };
    case "error":
    case "warning":
    case "notice":
      return { kind: "annotation", annotation: annotationOf(name, propertiesIn(properties), message) };
  }
  return null;
}

/** Says an annotation as people read it: `Error: title: message (file:line)`. */
export function sayAnnotation({ level, title, message, place }: Annotation): string {
  const said = [labels[level], title, message.trim()].filter((part) => part !== "").join(": ");
  return place === "" ? said : `${said} (${place})`;
}

/** Makes a text fit into a sentence: without line ends and what terminals obey. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
}

const labels = { error: "Error", warning: "Warning", notice: "Notice" } as const;

function annotationOf(level: Annotation["level"], properties: ReadonlyMap<string, string>, message: string): Annotation {
  const [file, line, column, title] = ["file", "line", "col", "title"].map((key) => oneLine(properties.get(key) ?? ""));
  const place = file ? [file, line, line && column].filter(Boolean).join(":") : "";
  return { level, title: title ?? "", message, place };
}

function propertiesIn(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(",").map((pair) => {
      const [key = "", ...value] = pair.split("=");
      return [key.trim(), unescapeProperty(value.join("="))] as const;
    }),
  );
}

function unescapeMessage(text: string): string {
  return text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
}

function unescapeProperty(text: string): string {
  return unescapeMessage(text.replaceAll("%3A", ":").replaceAll("%2C", ","));
}
