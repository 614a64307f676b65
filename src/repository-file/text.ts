import { z } from "zod";

/** One line of at most so many characters, without spaces around it. */
export function text(most: number) {
  return z
    .string()
    .max(most)
    .regex(/^\S(.*\S)?$/, { error: ({ input }) => (input === "" ? "is empty" : "must be one line without spaces around it") });
}
