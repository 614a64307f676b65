import type { ErrorCode, YAMLError } from "yaml";
import { quote } from "./mistake.ts";

/** Says what is wrong with YAML that cannot be read, without the place. */
export function syntaxProblem({ code, message, pos }: YAMLError, text: string): string {
  return problems[code]({ message, here: text.slice(pos[0], pos[1]) });
}

/** `here` is the part of the file that the library points at. */
type Say = (error: { readonly message: string; readonly here: string }) => string;

const misplacedMark: Say = () => "an anchor (&), alias (*) or tag (!) stands where it cannot";
const unknownTag: Say = ({ here }) => `${quote(here)} is a tag, and there are none; put quotes around a value that starts with !`;

const problems: Readonly<Record<ErrorCode, Say>> = {
  ALIAS_PROPS: misplacedMark,
  BAD_ALIAS: misplacedMark,
  BAD_COLLECTION_TYPE: unknownTag,
  BAD_DIRECTIVE: () => "a line that starts with % is not supported; remove it",
  BAD_DQ_ESCAPE: () => "a backslash in double quotes starts an unknown sequence; write two of them, or use single quotes",
  BAD_INDENT: ({ message }) =>
    message.startsWith("Flow")
      ? "[ ] or { } is not closed, or not indented further than its key"
      : "the indentation fits none of the lines before",
  BAD_PROP_ORDER: misplacedMark,
  BAD_SCALAR_START: ({ here }) => `a value cannot start with ${here.slice(0, 1)}; put it in quotes`,
  BLOCK_AS_IMPLICIT_KEY: () => "there is a second colon in this line; put a value with a colon in quotes",
  BLOCK_IN_FLOW: () => "indented lists and mappings cannot stand inside [ ] or { }",
  DUPLICATE_KEY: () => "the key is there twice",
  IMPOSSIBLE: () => "this is not YAML",
  KEY_OVER_1024_CHARS: () => "a key has more than 1024 characters",
  MISSING_CHAR: ({ message }) =>
    message.includes("quote") ? "a quoted text is not closed" : "a colon, comma or closing bracket is missing",
  MULTILINE_IMPLICIT_KEY: () => 'this is neither "key: value" nor "- entry"; is a colon missing, or the space behind it?',
  MULTIPLE_ANCHORS: misplacedMark,
  MULTIPLE_DOCS: () => "a second document starts here; the file holds one",
  MULTIPLE_TAGS: misplacedMark,
  NON_STRING_KEY: () => "a key must be text",
  RESOURCE_EXHAUSTION: () => "the file is nested too deeply",
  TAB_AS_INDENT: () => "a tab cannot indent; use spaces",
  TAG_RESOLVE_FAILED: unknownTag,
  UNEXPECTED_TOKEN: ({ here }) => `${quote(here)} does not belong here`,
};
