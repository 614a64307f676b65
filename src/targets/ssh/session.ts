import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { Readable, Writable } from "node:stream";
import { OperatorProblem } from "../target.ts";
import { type Mark, OutputReader } from "./output.ts";

/** What a step of a remote shell came to. */
export interface Answer {
  readonly status: number;
  /** What it said, output and errors in their order. */
  readonly output: Buffer;
}

/** What a step is given besides its text. */
export interface StepMeans {
  /** Handed to the step when it says that it is ready: as many bytes as it was told. */
  readonly body?: () => AsyncIterable<Uint8Array>;
  /** Takes the output as it comes in; then the answer has none. Await it: that is the back-pressure. */
  readonly write?: (output: Uint8Array) => Promise<void>;
}

/** The connection ended before the remote shell did what it was told; `said` are ssh's own words. */
export class Disconnected extends Error {
  override readonly name = "Disconnected";
  readonly said: string;
  constructor(said: string) {
    super(`ssh ended: ${said}`);
    this.said = said;
  }
}

interface Step extends StepMeans {
  readonly pieces: Buffer[];
  readonly settle: PromiseWithResolvers<Answer>;
}

/** More than any list of files; what a command says is not collected. */
const mostOutput = 67_108_864;

/**
 * One remote shell, which is told what to do step by step over its input, and ends what it does when that input ends: so closing our side,
 * our death and a cut connection are the same to it. The steps of one session come one after the other.
 */
export class Session {
  readonly token = randomUUID();
  readonly #ssh: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #ended: Promise<void>;
  readonly #left = Promise.withResolvers<boolean | null>();
  #step: Step | null = null;
  #said = "";
  #hasAnswered = false;
  #isOver = false;
  #because: unknown;

  readonly #say: (output: Uint8Array) => Promise<void>;

  /** Starts ssh; whether it gets through shows with the first step. `say` takes what the remote shell says at its end. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>>, say: (output: Uint8Array) => Promise<void>) {
    this.#say = say;
    // A session of its own: what interrupts our terminal lets the remote shell end in order.
    this.#ssh = spawn("ssh", args, { cwd: "/", env, stdio: ["pipe", "pipe", "pipe"], detached: true });
    this.#ssh.stdin.on("error", () => {});
    this.#ssh.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (this.#said.length < 10_000) this.#said += text;
    });
    const ended = Promise.withResolvers<void>();
    this.#ended = ended.promise;
    this.#ssh.once("error", (cause) => {
      this.#fail(new OperatorProblem("ssh cannot be started", "Install OpenSSH's client, on Debian: openssh-client", { cause }));
      ended.resolve();
    });
    const read = this.#read();
    this.#ssh.once("close", async () => {
      await read;
      this.#fail(new Disconnected(this.#said.trim()));
      ended.resolve();
    });
  }

  /** Runs one step to its end. Rejects with `Disconnected`, the reason of `interrupt`, or what `write` or `body` threw; then only `end` is left to be called. */
  async run(text: string, means: StepMeans = {}): Promise<Answer> {
    if (this.#isOver) throw this.#because;
    if (this.#step !== null) throw new Error("a remote shell does one step at a time");
    const step: Step = { ...means, pieces: [], settle: Promise.withResolvers() };
    this.#step = step;
    // One command to the shell: it has read all of it when it begins, so that what comes next on its input is for the step.
    this.#ssh.stdin.write(`{\n${text}\n}; printf '\\n%s done %s\\n' ${this.token} "$?"\n`);
    try {
      return await step.settle.promise;
    } finally {
      this.#step = null;
    }
  }

  /** Gives up the step that runs, whose call then rejects with the reason; the remote shell goes on with it until `end`. */
  interrupt(reason: unknown): void {
    this.#fail(reason);
  }

  /**
   * Ends the remote shell's input, which makes it take back what was not kept, and waits for that at most `patience` ms. True when it says
   * that it did, false that it could not, null when that is not known.
   */
  async end(patience: number): Promise<boolean | null> {
    this.#ssh.stdin.end();
    if (this.#hasAnswered) {
      const timer = setTimeout(this.#left.resolve, patience, null);
      await Promise.race([this.#left.promise, this.#ended]);
      clearTimeout(timer);
    }
    // What the application left running may hold the connection open for ever.
    this.#ssh.kill("SIGKILL");
    this.#left.resolve(null);
    await this.#ended;
    return this.#left.promise;
  }

  async #read(): Promise<void> {
    const reader = new OutputReader(this.token);
    try {
      for await (const piece of this.#ssh.stdout)
        for (const found of reader.read(piece)) await (found instanceof Uint8Array ? this.#take(found) : this.#obey(found));
    } catch (error) {
      this.#fail(error);
      // Read on, so that the remote shell is not held up by what it has to say.
      this.#ssh.stdout.resume();
    }
  }

  async #take(output: Buffer): Promise<void> {
    const step = this.#step;
    if (step === null) return this.#hasAnswered ? this.#say(output) : undefined;
    if (step.write !== undefined) return step.write(output);
    step.pieces.push(output);
    if (step.pieces.reduce((sum, piece) => sum + piece.length, 0) > mostOutput) throw new Error("the server said too much");
  }

  async #obey({ word, status }: Mark): Promise<void> {
    this.#hasAnswered = true;
    switch (word) {
      case "done":
        this.#step?.settle.resolve({ status, output: Buffer.concat(this.#step.pieces) });
        return;
      case "ready":
        void this.#send();
        return;
      case "ended":
        // What it watched has ended; it waits for a line, as it would for the end of its input.
        this.#ssh.stdin.write(`${status}\n`);
        return;
      case "left":
        this.#left.resolve(status === 0);
    }
  }

  async #send(): Promise<void> {
    const step = this.#step;
    try {
      for await (const piece of step?.body?.() ?? []) {
        // A connection that was cut shows in ssh's end, with its words.
        if (this.#isOver || this.#ssh.stdin.destroyed) return;
        if (!this.#ssh.stdin.write(piece)) await this.#drained();
      }
    } catch (error) {
      step?.settle.reject(error);
    }
  }

  #drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const event of ["drain", "close"]) this.#ssh.stdin.once(event, resolve);
    return promise.finally(() => {
      for (const event of ["drain", "close"]) this.#ssh.stdin.off(event, resolve);
    });
  }

  #fail(error: unknown): void {
    this.#because = this.#isOver ? this.#because : error;
    this.#isOver = true;
    this.#step?.settle.reject(error);
  }
}
