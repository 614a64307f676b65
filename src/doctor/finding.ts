/** What an examination found, in words for the operator. */
export interface Finding {
  readonly subject: Subject;
  /** `doubtful`: it works, but not all that is asked for. */
  readonly state: "fine" | "doubtful" | "wrong";
  readonly what: string;
  /** What to do; `null` when it is fine. */
  readonly fix: string | null;
}

export type Subject =
  | "app"
  | "clock"
  | "permissions"
  | "events"
  | "webhook"
  | "sandbox"
  | "git"
  | "ssh hosts"
  | "secrets"
  | "chats"
  | "disk"
  | "database";

export function fine(subject: Subject, what: string): Finding {
  return { subject, state: "fine", what, fix: null };
}

export function doubtful(subject: Subject, what: string, fix: string): Finding {
  return { subject, state: "doubtful", what, fix };
}

export function wrong(subject: Subject, what: string, fix: string): Finding {
  return { subject, state: "wrong", what, fix };
}
