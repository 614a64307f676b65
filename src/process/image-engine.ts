import { z } from "zod";
import type { Ending } from "./child.ts";
import { ImageProblem } from "./image-problem.ts";
import { markedBy } from "./orphans.ts";
import { findProgram } from "./programs.ts";
import { type Captured, captureCommand } from "./spawn.ts";

/**
 * What keeps images of containers on this machine. It brings them here and hands out their files; nothing of an image is ever run by it, so
 * whoever writes one gets no further than the sandbox. What fails throws `ImageProblem`, or the reason of `stop`.
 */
export interface ImageEngine {
  readonly kind: "podman" | "docker";
  /** What this machine has under a name; null when it has nothing. */
  find(name: string, stop: AbortSignal): Promise<FoundImage | null>;
  pull(name: string, stop: AbortSignal): Promise<void>;
  /** Writes all files of an image into one archive. */
  archive(image: FoundImage, file: string, stop: AbortSignal): Promise<void>;
  /** Removes what a dead server left at the engine. */
  clear(): Promise<void>;
}

export interface FoundImage {
  /** 64 hexadecimal digits that stand for the image's very content. */
  readonly id: string;
  /** The name by which anybody gets the very same image. */
  readonly pinned: string;
  /** What the image's author wants a command to know. */
  readonly env: Readonly<Record<string, string>>;
}

/** Finds podman or docker on the machine, the first that answers, and removes what a dead server left there. `mark` as for `markedBy`. */
export async function findImageEngine(mark: string, path = process.env.PATH ?? ""): Promise<ImageEngine | null> {
  for (const kind of ["podman", "docker"] as const) {
    const program = await findProgram(kind, path);
    if (program === null) continue;
    const engine = engineOf(kind, program, mark);
    const answers = await engine.clear().then(
      () => true,
      () => false,
    );
    if (answers) return engine;
  }
  return null;
}

/** Of both: https://docs.podman.io/en/latest/Commands.html and https://docs.docker.com/reference/cli/docker/ */
const inspected = z
  .array(
    z.object({
      Id: z.string().regex(/^(?:sha256:)?[0-9a-f]{64}$/),
      RepoDigests: z.array(z.string()).nullish(),
      Config: z.object({ Env: z.array(z.string()).nullish() }).nullish(),
    }),
  )
  .min(1);

/** What does not answer in this time does not work, in milliseconds. */
const patience = 10_000;

function engineOf(kind: ImageEngine["kind"], program: string, mark: string): ImageEngine {
  const label = `signalbox=${mark}`;

  async function ask(args: readonly string[], stop: AbortSignal): Promise<Captured & { readonly ok: boolean }> {
    const said = await captureCommand(
      { argv: [program, ...args], cwd: "/", env: { ...ownEnvironment(), ...markedBy(mark) } },
      { stop },
    );
    if (said.ending.kind === "stopped") throw said.ending.reason;
    return { ...said, ok: isFine(said.ending) };
  }

  async function must(args: readonly string[], doing: string, stop: AbortSignal): Promise<string> {
    const said = await ask(args, stop);
    if (!said.ok) throw refusal(`${kind} cannot ${doing}`, said);
    return said.output.trim();
  }

  return {
    kind,
    async find(name, stop) {
      const said = await ask(["image", "inspect", name], stop);
      if (!said.ok) return null;
      const [image] = inspected.parse(JSON.parse(said.output));
      if (image === undefined) return null;
      const id = image.Id.replace("sha256:", "");
      const repository = name.replace(/[@:][^/]*$/, "");
      const digests = image.RepoDigests ?? [];
      const pinned = digests.find((one) => one.startsWith(`${repository}@`)) ?? digests[0] ?? `${name}, image sha256:${id}`;
      return { id, pinned, env: variables(image.Config?.Env ?? []) };
    },
    async pull(name, stop) {
      await must(["pull", "--quiet", name], `bring the image ${name}`, stop);
    },
    async archive({ id, pinned }, file, stop) {
      // A container that is never started is the one thing that both can write as plain files.
      const container = await must(
        ["create", "--label", label, "--network", "none", id, "/bin/sh"],
        `open the image ${pinned}`,
        stop,
      );
      try {
        await must(["export", "--output", file, lastLine(container)], `write the files of ${pinned}`, stop);
      } finally {
        await ask(["rm", "--force", lastLine(container)], AbortSignal.timeout(patience));
      }
    },
    async clear() {
      const stop = AbortSignal.timeout(patience);
      const left = await must(["ps", "--all", "--quiet", "--no-trunc", "--filter", `label=${label}`], "list containers", stop);
      if (left !== "") await must(["rm", "--force", ...left.split("\n")], "remove containers", stop);
    },
  };
}

function isFine(ending: Ending): boolean {
  return ending.kind === "exited" && ending.code === 0;
}

/** The last line is the reason; what comes before it is progress. */
function refusal(what: string, { errors, output }: Captured): ImageProblem {
  const why = lastLine(errors.trim() || output.trim()).slice(0, 300) || "it did not say why";
  return new ImageProblem(`${what}: ${why}`, { retryable: passing.test(why) });
}

/** Both pass on the words of the same library, https://pkg.go.dev/net */
const passing =
  /i\/o timeout|deadline exceeded|no such host|connection (?:refused|reset)|network is unreachable|TLS handshake|unexpected EOF|too ?many ?requests|50[0234] /i;

function lastLine(text: string): string {
  return text.split("\n").at(-1) ?? "";
}

function variables(pairs: readonly string[]): Readonly<Record<string, string>> {
  const found = pairs.map((pair) => /^([^=\0]+)=([^\0]*)$/s.exec(pair)).filter((pair) => pair !== null);
  return Object.fromEntries(found.map(([, name = "", value = ""]) => [name, value]));
}

/** What tells an engine where its images, its settings and its way out are; nothing of the server's secrets. */
function ownEnvironment(): Readonly<Record<string, string>> {
  const names =
    /^(?:PATH|HOME|USER|LOGNAME|TMPDIR|XDG_.*|DBUS_SESSION_BUS_ADDRESS|DOCKER_.*|CONTAINERS?_.*|STORAGE_.*|REGISTRY_AUTH_FILE|(?:https?|no)_proxy)$/i;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value !== undefined && names.test(name) ? [[name, value]] : [])),
  );
}
