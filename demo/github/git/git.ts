import { spawn } from "node:child_process";

/** Runs git in one bare repository and resolves with what it printed; rejects with `GitError` when it exits with anything but 0. */
export type Git = (args: readonly string[], input?: string) => Promise<string>;

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
  return async (args, input) => (await gitBytes(folder, args, input)).toString();
}

/** As `Git`, for content that need not be text. */
export function gitBytes(folder: string, args: readonly string[], input?: string): Promise<Buffer> {
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
