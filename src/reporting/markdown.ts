/** Words that a stranger may have written, so that nothing in them is a mention, a link or markup. */
export function asCode(words: string): string {
  return `\`${words.replace(/[`\p{C}]/gu, "")}\``;
}
