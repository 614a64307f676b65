/**
 * Whether PostgreSQL rolled a transaction back because of others at the same moment, so that the same may go well when it is tried again:
 * a deadlock, or a serialization failure. https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
 */
export function isConflict(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && (error.code === "40P01" || error.code === "40001");
}
