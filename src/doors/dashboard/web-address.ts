/** An address that may become a link; `null` for everything that is not http or https, and for what is none. */
export function webAddress(text: string | undefined): string | null {
  return text !== undefined && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : null;
}
