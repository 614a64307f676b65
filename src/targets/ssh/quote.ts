/** One word for a POSIX shell, whatever the text holds but NUL, which no shell can hold and which throws. */
export function quote(text: string): string {
  if (text.includes("\0")) throw new Error("a NUL cannot be passed to a shell");
  return `'${text.replaceAll("'", "'\\''")}'`;
}
