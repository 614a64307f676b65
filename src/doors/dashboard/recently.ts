/** What somebody else knows (GitHub, the mirror), asked for at most now and then. */
export interface Recent<Subject, Answer> {
  /** The newest answer; the one before when the new one takes too long or fails; `null` when there is none yet. Never rejects. */
  get(subject: Subject): Promise<Answer | null>;
}

export interface RecentOptions<Subject, Answer> {
  readonly ask: (subject: Subject) => Promise<Answer>;
  /** Equal names have equal answers. */
  readonly nameOf: (subject: Subject) => string;
  /** Milliseconds for which an answer is taken for true. */
  readonly keepFor: number;
  /** Milliseconds that a page waits for a new one. */
  readonly patience: number;
  readonly clock: () => number;
  readonly onProblem: (error: unknown) => void;
}

interface Entry<Answer> {
  answer: Answer | null;
  until: number;
  asking: Promise<void> | null;
}

const mostRemembered = 2_000;
/** After a failure nobody asks again for so long, in milliseconds. */
const pause = 5_000;

export function recently<Subject, Answer>(options: RecentOptions<Subject, Answer>): Recent<Subject, Answer> {
  const { ask, nameOf, keepFor, patience, clock, onProblem } = options;
  const entries = new Map<string, Entry<Answer>>();

  async function renew(entry: Entry<Answer>, subject: Subject): Promise<void> {
    try {
      entry.answer = await ask(subject);
      entry.until = clock() + keepFor;
    } catch (error) {
      onProblem(error);
      entry.until = clock() + pause;
    } finally {
      entry.asking = null;
    }
  }

  return {
    async get(subject) {
      const name = nameOf(subject);
      const entry = entries.get(name) ?? { answer: null, until: 0, asking: null };
      if (!entries.has(name) && entries.size >= mostRemembered) entries.clear();
      entries.set(name, entry);
      if (clock() >= entry.until) entry.asking ??= renew(entry, subject);
      if (entry.asking !== null) await atMost(entry.asking, patience);
      return entry.answer;
    },
  };
}

async function atMost(work: Promise<void>, milliseconds: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, milliseconds);
  await Promise.race([work, late.promise]);
  clearTimeout(timer);
}
