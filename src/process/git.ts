import { captureCommand } from "./spawn.ts";

/**
 * Why git could not do it. `retryable`: the network, the host, or a token that is no longer good; the same call may work later. `gone`: the
 * commit does not exist there any more. `refused`: the host does not show us the
 * repository, or git does not accept what it sends. `broken`: this machine's disk or mirror.
 */
export type GitFailure = "retryable" | "gone" | "refused" | "broken";

/** What git said, without credentials. */
export class GitError extends Error {
  override readonly name = "GitError";
  readonly failure: GitFailure;
  /** What git itself wrote, for the log. */
  readonly said: string;

  constructor(failure: GitFailure, doing: string, said: string) {
    super(`git could not ${doing}: ${said.replaceAll("\n", "; ").slice(0, 1_000) || "it did not say why"}`);
    this.failure = failure;
    this.said = said;
  }

  /** The same call may succeed later. */
  get retryable(): boolean {
    return this.failure === "retryable";
  }
}

/** How git is run: what it gets of the server's own environment, and nothing else of the machine. */
export interface GitSetup {
  /** Where `PATH`, proxies and certificates come from. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Schemes that a clone address may have. */
  readonly protocols: readonly string[];
}

/** What one call of git is about. */
export interface GitCall {
  /** The repository's own folder (`.git`, or a bare one). */
  readonly repository: string;
  /** For the message: "git could not …". */
  readonly doing: string;
  readonly input?: string;
  readonly stop?: AbortSignal | undefined;
  /** Variables of this call alone. */
  readonly env?: Readonly<Record<string, string>>;
  /** Configuration of this call alone; it travels in the environment, so that it may hold a credential. */
  readonly config?: Readonly<Record<string, string>>;
  /** The arguments of a second git, which begins when the first has ended well. A small shell starts both: from a process as large as ours it takes longer than either of them. */
  readonly next?: readonly string[];
  /** Exit codes that are an answer. */
  readonly answers?: readonly number[];
}

/** Runs git plumbing; throws `GitError`, or the reason of `stop`. No hook, filter, configuration file or prompt of the machine or of a repository takes part. */
export async function git(
  setup: GitSetup,
  call: GitCall,
  args: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> {
  const config = { ...ownConfig, ...call.config };
  const command = {
    argv: call.next === undefined ? (["git", ...args] as const) : (["/bin/sh", "-c", inShell(args, call.next)] as const),
    cwd: call.repository,
    env: { ...inherited(setup.env), ...ownEnvironment(setup, call.repository), ...configVariables(config), ...call.env },
    ...(call.input === undefined ? {} : { input: call.input }),
  };
  const { ending, output, errors } = await captureCommand(command, { stop: call.stop, limit: 268_435_456 });
  switch (ending.kind) {
    case "stopped":
      throw ending.reason;
    case "missing":
      throw new GitError("broken", call.doing, "git is not installed");
    case "killed":
      throw new GitError("broken", call.doing, `it was killed by ${ending.signal}`);
    case "exited": {
      if ([0, ...(call.answers ?? [])].includes(ending.code)) return { code: ending.code, output };
      const said = withoutSecrets(errors.trim(), call.config);
      throw new GitError(failureOf(said), call.doing, said);
    }
  }
}

function inShell(...calls: readonly (readonly string[])[]): string {
  const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
  return calls.map((args) => ["git", ...args.map(quoted)].join(" ")).join(" && ");
}

/** From git's and curl's own words, which LC_ALL=C keeps in English. What is not known is this machine's fault: nobody tries that for ever. */
function failureOf(said: string): GitFailure {
  if (
    /not our ref|unadvertised object|couldn't find remote ref|bad object [0-9a-f]{40}|unknown revision|reference is not a tree|Not a valid (object|commit) name|Needed a single revision/i.test(
      said,
    )
  )
    return "gone";
  if (/Authentication failed|could not read (Username|Password)|returned error: (401|408|429|5\d\d)/i.test(said))
    return "retryable";
  if (/returned error: 4\d\d|repository .* not found|fsck error|does not appear to be a git repository|access denied/i.test(said))
    return "refused";
  if (
    /Could not resolve|Connection|timed? ?out|early EOF|hung up|RPC failed|unexpected disconnect|SSL|TLS|GnuTLS|Failed to connect|unable to access/i.test(
      said,
    )
  ) {
    return "retryable";
  }
  return "broken";
}

const ownConfig = {
  "core.hooksPath": "/dev/null",
  "core.attributesFile": "/dev/null",
  "core.fsmonitor": "false",
  "credential.helper": "",
  "submodule.recurse": "false",
  // A prune while a checkout reads the mirror would break it: only `tidy` collects.
  "gc.auto": "0",
  "maintenance.auto": "false",
  // What is fetched is checked, but for the harmless faults that old histories carry, which GitHub accepts too.
  "fetch.fsckObjects": "true",
  ...Object.fromEntries(
    [
      "zeroPaddedFilemode",
      "badTimezone",
      "missingSpaceBeforeDate",
      "missingNameBeforeEmail",
      "missingEmail",
      "badEmail",
      "zeroPaddedDate",
      "missingSpaceBeforeEmail",
      "badFilemode",
    ].map((fault) => [`fetch.fsck.${fault}`, "ignore"]),
  ),
  // A host that sends less than 1,000 bytes a second for a minute is taken for dead.
  "http.lowSpeedLimit": "1000",
  "http.lowSpeedTime": "60",
  // In which any commit can be asked for by its SHA, see https://git-scm.com/docs/protocol-v2
  "protocol.version": "2",
};

const inheritedNames = [
  ...["PATH", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "SIGNALBOX_SERVER"],
  ...["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"],
];

function inherited(env: GitSetup["env"]): Readonly<Record<string, string>> {
  return Object.fromEntries(inheritedNames.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

function ownEnvironment(setup: GitSetup, repository: string): Readonly<Record<string, string>> {
  return {
    GIT_DIR: repository,
    // No `.netrc` and no other file of the server's user.
    HOME: repository,
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_ALLOW_PROTOCOL: setup.protocols.join(":"),
  };
}

function configVariables(config: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(config).flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(entries.length / 2), ...Object.fromEntries(entries) };
}

/** Git does not repeat them as far as we know; a proxy's or server's answer may. */
function withoutSecrets(said: string, config: Readonly<Record<string, string>> = {}): string {
  return Object.values(config)
    .flatMap((value) => [value, value.split(" ").at(-1) ?? value])
    .filter((value) => value.length > 8)
    .reduce((text, secret) => text.replaceAll(secret, "***"), said);
}
