import type { Io } from "../../process/io.ts";
import { sayAmount } from "../release/amount.ts";
import type { Entry } from "../release/entries.ts";
import { nameOf } from "../release/names.ts";
import { type TarEntry, tarOf, tarSize } from "../release/tar.ts";
import { type DeployOrder, OperatorProblem } from "../target.ts";
import { type Access, sshArguments } from "./access.ts";
import type { Destination } from "./destination.ts";
import { type Changes, changesFrom, type Manifest, unpack } from "./manifest.ts";
import { explainedEnd, explainedStep } from "./problems.ts";
import { enter, step, trouble, without } from "./remote.ts";
import { type Answer, Disconnected, Session, type StepMeans } from "./session.ts";

/** What is the same for all servers of a deployment. */
export interface Means {
  readonly path: string;
  readonly shared: readonly string[];
  /** The name of the secret. */
  readonly key: string;
  readonly access: Pick<Access, "key" | "knownHosts">;
  readonly order: DeployOrder;
  readonly io: Pick<Io, "write">;
}

/** What a release is made of; read while the servers are being reached. */
export interface Content {
  readonly entries: readonly Entry[];
  readonly made: Promise<{ readonly manifest: Manifest; readonly packed: Buffer }>;
}

/** One server of a deployment, in one connection. What was switched and not kept is put back when it ends, by itself. */
export class Host {
  readonly destination: Destination;
  /** Whether it may have been switched. */
  touched = false;
  readonly #means: Means;
  readonly #session: Session;
  readonly #env: Readonly<Record<string, string>>;

  /** Begins to connect. */
  constructor(destination: Destination, means: Means) {
    this.destination = destination;
    this.#means = means;
    this.#env = { PATH: process.env.PATH ?? "/usr/bin:/bin", ...means.order.mark };
    const say = async (output: Uint8Array) => {
      const sentence = Buffer.from(output).toString("utf8").trim();
      if (sentence !== "") await this.#say(sentence);
    };
    this.#session = new Session(sshArguments(destination, means.access), this.#env, say);
  }

  /** Goes to the site, which is made when there is none. */
  async enter(): Promise<void> {
    const { environment, sha, repository } = this.#means.order;
    const env = {
      SIGNALBOX_ENVIRONMENT: environment,
      SIGNALBOX_SHA: sha,
      SIGNALBOX_REPOSITORY: `${repository.owner}/${repository.name}`,
    };
    await this.#do(enter(this.#session.token, this.#means.path, env));
  }

  /** Waits for its turn, which lasts until the end; says what is live, null when it is none of our releases, and what lies beside it. */
  async takeTurn(): Promise<{ readonly live: string | null; readonly releases: readonly string[] }> {
    let { status, output } = await this.#do(`${step("lock")} && ${step("look")}`, [1]);
    if (status === 1) {
      const { path, io } = this.#means;
      await io.write(Buffer.from(`Waiting for another deployment to ${path} on ${this.destination.name}.\n`));
      ({ output } = await this.#do(`${step("wait_for_lock")} && ${step("look")}`));
    }
    const [current = "", ...releases] = output.toString("utf8").split("\n");
    return { live: nameOf(current), releases };
  }

  /** Makes a release, sending what is not in the one that is live. */
  async make(release: string, live: string | null, content: Content): Promise<void> {
    const shared = this.#means.shared.map((path) => step("share", path));
    const { status, output } = await this.#do([...shared, step("prepare", release, live ?? "")].join(" && "), [trouble.noBase]);
    const { manifest, packed } = await content.made;
    const changes = status === 0 ? await changesSince(output, manifest, content.entries) : null;
    if (changes !== null && (await this.#makeWith(release, changes, packed, content.entries))) return;
    const everything = { gone: [], sent: content.entries };
    if (status === 0) await this.#do(step("start_over"));
    if (await this.#makeWith(release, everything, packed, content.entries)) return;
    throw new OperatorProblem(
      `${this.destination.name} did not keep every file that it was sent`,
      "Look at its disk and its tar",
    );
  }

  /** False when the outcome is not what it should be, because somebody changed the last release by hand. */
  async #makeWith(release: string, changes: Changes, packed: Buffer, entries: readonly Entry[]): Promise<boolean> {
    const sent: readonly TarEntry[] = [
      ...changes.sent.map((entry) => ({ ...entry, path: `release/${entry.path}` })),
      // Last, and so not older than any file of the release: what is newer was touched.
      { kind: "bytes", path: "manifest", bytes: packed },
    ];
    // `find` counts lines, and a name may have several.
    const lines = entries.reduce((sum, { path }) => sum + path.split("\n").length, 1);
    const steps = [without(changes.gone), step("receive", tarSize(sent)), step("complete", release, lines)];
    if ((await this.#do(steps.join(" && "), [trouble.notComplete], { body: () => tarOf(sent) })).status !== 0) return false;
    const files = changes.sent.flatMap((entry) => (entry.kind === "file" ? [entry.size] : []));
    const unchanged = entries.filter(({ kind }) => kind === "file").length - files.length;
    const amount = sayAmount({ files: files.length, bytes: files.reduce((sum, size) => sum + size, 0) });
    await this.#say(
      `Sent ${amount} to releases/${release}${unchanged > 0 ? `; ${unchanged} did not change since the last release` : ""}.`,
    );
    return true;
  }

  /** Makes a release live; `before` is put back at the end unless it is kept. */
  async switchTo(release: string, before: string | null): Promise<void> {
    this.touched = true;
    await this.#do(step("switch", release, before ?? ""));
    await this.#say(`current now points at releases/${release}.`);
  }

  /** Runs the application's own command in a release; gives its status. */
  async restart(release: string, command: string): Promise<number> {
    const { write } = this.#means.io;
    return (await this.#do(step("restart", release, command), "any", { write })).status;
  }

  /** The same with a command that only asks: it is not run again when a release is put back. */
  async check(release: string, command: string): Promise<number> {
    const { write } = this.#means.io;
    return (await this.#do(step("check", release, command), "any", { write })).status;
  }

  /** From here on the end puts nothing back. */
  async keep(): Promise<void> {
    await this.#do(step("keep"));
  }

  /** From here on the end puts `before` back after all. */
  async takeBack(release: string, before: string): Promise<void> {
    await this.#do(step("take_back", release, before));
  }

  async forget(releases: readonly string[]): Promise<void> {
    if (releases.length === 0) return;
    const said = (await this.#do(step("forget", ...releases), "any")).output.toString("utf8").trim();
    if (said !== "") await this.#say(said);
  }

  /** Removes the site with all its releases and what they shared; only `end` may follow. */
  async takeAway(): Promise<void> {
    const said = (await this.#do(step("take_away"))).output.toString("utf8").trim();
    await this.#say(`${this.#means.path} is taken away.${said === "" ? "" : ` ${said}`}`);
  }

  /** Gives up what it does; only `end` may follow. */
  interrupt(reason: unknown): void {
    this.#session.interrupt(reason);
  }

  /** Ends the connection; true when the server said that it put back what was not kept, false that it could not, null when it said nothing. */
  async end(): Promise<boolean | null> {
    return this.#session.end(this.touched ? 75_000 : 15_000);
  }

  async #do(text: string, alsoFine: readonly number[] | "any" = [], means: StepMeans = {}): Promise<Answer> {
    const { destination } = this;
    const answer = await this.#session.run(text, means).catch(async (error) => {
      throw error instanceof Disconnected ? await explainedEnd(error, destination, this.#means.key, this.#env) : error;
    });
    if (answer.status === 0 || alsoFine === "any" || alsoFine.includes(answer.status)) return answer;
    throw explainedStep(answer, destination.name, this.#means.path);
  }

  async #say(sentence: string): Promise<void> {
    await this.#means.io.write(Buffer.from(`${this.destination.name}: ${sentence}\n`));
  }
}

/** Reads what `prepare` says: the size of a manifest, the manifest, and what is newer than it. */
async function changesSince(said: Buffer, now: Manifest, entries: readonly Entry[]): Promise<Changes | null> {
  const newline = said.indexOf("\n");
  const end = newline + 1 + Number(said.toString("utf8", 0, newline));
  if (!(end <= said.length)) return null;
  const last = await unpack(said.subarray(newline + 1, end));
  if (last === null) return null;
  const touched = said.toString("utf8", end).split("\0").filter(Boolean);
  return changesFrom(last, new Set(touched.map((path) => path.replace(/^\.\//, ""))), now, entries);
}
