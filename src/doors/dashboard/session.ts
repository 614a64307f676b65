import { createHash, randomBytes } from "node:crypto";
import type { Database } from "../../database/connection.ts";

const minute = 60_000;
const idle = 12 * 60 * minute;
const longest = 30 * 24 * 60 * minute;
/** A session's last use is noted this exactly, so that reading a page seldom writes. */
const grain = 5 * minute;

export interface Person {
  /** GitHub's numeric id: a login can be given to somebody else. */
  readonly id: number;
  readonly login: string;
}

export interface Session {
  /** What the table knows it by; it does not open the session. */
  readonly key: string;
  readonly person: Person;
  /** Proves that a form is one of our pages. */
  readonly csrf: string;
}

/** Who is signed in. It ends 12 hours after its last use, and after 30 days at the latest. */
export interface Sessions {
  /** Returns what the cookie holds: the only copy, the table has its hash. */
  begin(person: Person): Promise<string>;
  /** Finds the session of a cookie, and counts as a use of it. */
  find(cookie: string): Promise<Session | null>;
  /** Whether a session that was found has not ended since; not a use of it. */
  lasts(key: string): Promise<boolean>;
  end(key: string): Promise<void>;
}

export function openSessions(database: Database, clock: () => number): Sessions {
  async function row(key: string) {
    const found = await database.read((db) => db.selectFrom("session").selectAll().where("id", "=", key).executeTakeFirst());
    return found !== undefined && isOpen(found, clock()) ? found : null;
  }

  return {
    async begin({ id, login }) {
      const cookie = randomBytes(32).toString("base64url");
      const csrf = randomBytes(32).toString("base64url");
      const now = clock();
      await database.write(async ({ db }) => {
        await db
          .deleteFrom("session")
          .where((is) => is.or([is("used_at", "<=", now - idle), is("created_at", "<=", now - longest)]))
          .execute();
        await db
          .insertInto("session")
          .values({ id: keyOf(cookie), user_id: id, login, csrf, created_at: now, used_at: now })
          .execute();
      });
      return cookie;
    },
    async find(cookie) {
      const key = keyOf(cookie);
      const found = await row(key);
      if (found === null) return null;
      const now = clock();
      if (now - found.used_at >= grain) {
        await database.write(({ db }) => db.updateTable("session").set({ used_at: now }).where("id", "=", key).execute());
      }
      return { key, person: { id: found.user_id, login: found.login }, csrf: found.csrf };
    },
    lasts: async (key) => (await row(key)) !== null,
    async end(key) {
      await database.write(({ db }) => db.deleteFrom("session").where("id", "=", key).execute());
    },
  };
}

function isOpen(session: { readonly created_at: number; readonly used_at: number }, now: number): boolean {
  return now - session.used_at < idle && now - session.created_at < longest;
}

/** The cookie holds 32 random bytes, so a plain hash keeps a stolen table from opening sessions. */
function keyOf(cookie: string): string {
  return createHash("sha256").update(cookie).digest("hex");
}
