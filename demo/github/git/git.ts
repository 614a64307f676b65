import { spawn } from "node:child_process";

/**
 * Runs git in one bare repository and resolves with what it printed; rejects with `GitError` when it exits with anything but 0. What was
 * read is remembered until something is written, and what no write can change for good: a process costs far more than all that it reads here.
 */
export interface Git {
  (args: readonly string[], input?: string): Promise<string>;
  /** The same, for content that need not be text. */
  bytes(args: readonly string[], input?: string): Promise<Buffer>;
  /** Somebody else has written: a push. */
  changed(): void;
}

const reads = new Set(["cat-file", "diff-tree", "for-each-ref", "log", "ls-tree", "merge-base", "rev-list", "rev-parse"]);

/** Tells a git command that said no (exit code in `exitCode`) from one that could not run. */
export class GitError extends Error {
  readonly exitCode: number | null;
  readonly output: string;
  constructor(args: readonly string[], exitCode: number | null, output: string, complaint: string) {
    super(`git ${args.join(" ")} exited with ${exitCode}: ${complaint.trim()}`);
    this.exitCode = exitCode;
    this.output = output;
  }
}

export function gitIn(folder: string): Git {
  const [fleeting, lasting] = [new Map<string, Promise<Buffer>>(), new Map<string, Promise<Buffer>>()];

  function bytes(args: readonly string[], input?: string): Promise<Buffer> {
    const command = args.find((word) => !word.startsWith("--")) ?? "";
    if (!reads.has(command)) {
      fleeting.clear();
      return run(folder, args, input).finally(() => fleeting.clear());
    }
    const remembered = isOfObjectsAlone(command, args) ? lasting : fleeting;
    const key = args.join("\0");
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const answer = run(folder, args, input);
    if (remembered.size === many) remembered.clear();
    remembered.set(key, answer);
    answer.catch((error) => {
      // What is not there may come with another repository's commit: forks share their objects. "No" is an answer.
      const isAnswer = command === "merge-base" && error instanceof GitError && error.exitCode === 1;
      if (!isAnswer && remembered.get(key) === answer) remembered.delete(key);
    });
    return answer;
  }

  const text = async (args: readonly string[], input?: string) => (await bytes(args, input)).toString();
  return Object.assign(text, { bytes, changed: () => fleeting.clear() });
}

const many = 2_000;

/** Objects never change, names do: those that a word is, and those that an option stands for. */
function isOfObjectsAlone(command: string, args: readonly string[]): boolean {
  if (args.some((word) => /^--(all|branches|contains|glob|remotes|tags)\b/.test(word))) return false;
  const end = args.indexOf("--");
  const words = args.slice(args.indexOf(command) + 1, end < 0 ? undefined : end).filter((word) => !word.startsWith("-"));
  return words.length > 0 && words.every((word) => /^[0-9a-f]{40}(\.{2,3}[0-9a-f]{40}|\^\{commit\})?$|^blob$/.test(word));
}

function run(folder: string, args: readonly string[], input?: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", [...args], { cwd: folder, env: gitEnvironment(), stdio: ["pipe", "pipe", "pipe"] });
    const output: Buffer[] = [];
    const complaint: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => complaint.push(chunk));
    child.on("error", reject);
    child.on("close", (exitCode) => {
      if (exitCode === 0) resolve(Buffer.concat(output));
      else reject(new GitError(args, exitCode, Buffer.concat(output).toString(), Buffer.concat(complaint).toString()));
    });
    child.stdin.on("error", () => {}); // git may exit before it has read everything; its exit code tells
    child.stdin.end(input ?? "");
  });
}

/** Keeps the settings of the machine and of the surrounding shell out of our repositories. */
export function gitEnvironment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_AUTHOR_NAME: "GitHub",
    GIT_AUTHOR_EMAIL: "noreply@github.com",
    GIT_COMMITTER_NAME: "GitHub",
    GIT_COMMITTER_EMAIL: "noreply@github.com",
  };
}
