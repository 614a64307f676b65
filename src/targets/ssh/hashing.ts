import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { answerWith } from "../release/thread.ts";
import type { Entry } from "./manifest.ts";

/** The thread of `manifestOf`. */
answerWith((entries: readonly Entry[]) => entries.map((entry) => [entry.path, sayWhatItIs(entry)] as const));

/** 128 bits of the hash are enough: who could make two files alike would deceive only their own repository. */
function sayWhatItIs(entry: Entry): string {
  switch (entry.kind) {
    case "file":
      return `${entry.executable ? "x" : "-"}${hash("sha256", readFileSync(entry.source), "hex").slice(0, 32)}`;
    case "link":
      return `l${entry.target}`;
    case "folder":
      return "d";
  }
}
