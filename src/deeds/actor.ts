import type { Transaction } from "../database/connection.ts";
import { mayWrite, type Role } from "../github/people.ts";

/** Who does it, as GitHub knows them, and by which door they came. Who works on the server's own data is its operator. */
export interface Actor {
  readonly login: string;
  /** GitHub's; 0 for an operator. */
  readonly id: number;
  readonly role: Role | "operator";
  readonly door: "comment" | "check run" | "page" | "command line";
  /** The user of the system who typed it in this person's name. */
  readonly typedBy?: string;
}

/** How a deed ended. A refusal is an answer like any other: it says why, and what to do instead. */
export type Answer = { readonly kind: "done"; readonly said: string } | { readonly kind: "refused"; readonly why: string };

/** A deed whose facts have been read: what is left is one transaction. */
export type PreparedDeed = (tx: Transaction) => Promise<Answer>;

/** A deed that was refused before anything had to be read. */
export function refuses(answer: Answer): PreparedDeed {
  return async () => answer;
}

export function done(said: string): Answer {
  return { kind: "done", said };
}

export function refused(why: string): Answer {
  return { kind: "refused", why };
}

/** Whether somebody may do what takes write permission. */
export function mayAct({ role }: Actor): boolean {
  return role === "operator" || role === "maintain" || mayWrite(role);
}

/** Whether somebody may do what only maintainers may: pass a gate, open somebody else's lock. */
export function isMaintainer({ role }: Actor): boolean {
  return role === "operator" || role === "maintain" || role === "admin";
}

/** The refusal that every deed begins with. */
export function withoutPermission({ login }: Actor): Answer {
  return refused(`${login} has no write permission`);
}
