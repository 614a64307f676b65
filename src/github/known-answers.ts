/** What GitHub answered before, so that it need only say that nothing has changed: a 304 costs no quota. */
export interface KnownAnswers<Answer> {
  /** The mark to ask with; `null` when nothing is known. */
  etag(address: string): string | null;
  /** What was answered before. */
  recall(address: string): Answer | null;
  keep(address: string, etag: string, answer: Answer, bytes: number): void;
}

/** Addresses with answers that are larger are read seldom: files of up to 1 MB, long lists. */
const largest = 65_536;
const most = 500;

/** Keeps what was used last; at most 32 MB. Tokens of one installation only may share it: what one may read another may not. */
export function knownAnswers<Answer>(): KnownAnswers<Answer> {
  const known = new Map<string, { readonly etag: string; readonly answer: Answer }>();
  return {
    etag: (address) => known.get(address)?.etag ?? null,
    recall(address) {
      const found = known.get(address);
      if (found === undefined) return null;
      known.delete(address);
      known.set(address, found);
      return found.answer;
    },
    keep(address, etag, answer, bytes) {
      known.delete(address);
      if (bytes > largest) return;
      known.set(address, { etag, answer });
      const [oldest] = known.keys();
      if (known.size > most && oldest !== undefined) known.delete(oldest);
    },
  };
}
