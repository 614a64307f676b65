import { parseArgs } from "node:util";
import type { Beside } from "./command-line/beside-server.ts";
import type { EnvironmentCommand } from "./command-line/environment-words.ts";
import { UsageError } from "./command-line/usage.ts";

/** A command: takes the words behind its name, says what happened, and gives the exit code. Throws `UsageError` for words it does not take. */
type Command = (words: readonly string[]) => Promise<number>;

/** Each is loaded when it is called: one that needs little starts at once. */
const commands: Readonly<Record<string, Command>> = {
  async replay(words) {
    const { replay } = await import("./command-line/replay.ts");
    const { values, positionals } = parse(words, {
      local: { type: "boolean" },
      url: { type: "string" },
      file: { type: "string" },
    });
    return replay(positionals, { local: values.local === true, url: text(values.url), file: text(values.file) });
  },
  async config([action, ...words]) {
    if (action !== "check") throw new UsageError(`"config ${action ?? ""}" is no command; there is "config check [FILE]"`);
    const { checkConfiguration } = await import("./command-line/config-check.ts");
    return checkConfiguration(parse(words, {}).positionals[0]);
  },
  async secret([action, ...words]) {
    const secrets = await import("./command-line/secret.ts");
    const { values, positionals } = parse(words, { environment: { type: "string" } });
    const [repository, name] = positionals;
    const environment = text(values.environment) ?? null;
    if (action === "set") return secrets.setSecretCommand(repository, name, environment);
    if (action === "list") return secrets.listSecretsCommand(repository);
    if (action === "remove") return secrets.removeSecretCommand(repository, name, environment);
    if (action === "rotate") return secrets.rotateSecretKeyCommand();
    throw new UsageError(`"secret ${action ?? ""}" is no command; there are set, list, remove and rotate`);
  },
  approve: (words) => (isPullRequest(words[1]) ? pullRequest("approve", words) : environment("approve", words)),
  retry: (words) => pullRequest("retry", words),
  cancel: (words) => (isPullRequest(words[1]) ? pullRequest("cancel", words) : environment("cancel", words)),
  deploy: (words) => environment("deploy", words),
  rollback: (words) => environment("rollback", words),
  lock: (words) => environment("lock", words),
  unlock: (words) => environment("unlock", words),
  async why(words) {
    const { values, positionals } = parse(words, { json: { type: "boolean" } });
    const [fullName, name, ...more] = positionals;
    if (fullName === undefined || name === undefined || more.length > 0)
      throw new UsageError("why needs OWNER/REPO and an ENVIRONMENT");
    const { whyInWords } = await import("./command-line/why.ts");
    return saying((beside) => whyInWords(beside, fullName, name, values.json === true));
  },
  async backup(words) {
    const { backupCommand } = await import("./command-line/data.ts");
    return backupCommand(parse(words, {}).positionals[0]);
  },
  async move(words) {
    if (words.length > 0) throw new UsageError("move takes no words: the settings say from where and to where");
    const { moveCommand } = await import("./command-line/data.ts");
    return moveCommand();
  },
  async doctor(words) {
    const { values, positionals } = parse(words, { json: { type: "boolean" } });
    if (positionals.length > 0) throw new UsageError(`doctor takes no "${positionals[0]}"`);
    const { doctor } = await import("./command-line/doctor.ts");
    return doctor(values.json === true);
  },
  async help([name]) {
    const { lessons } = await import("./command-line/lessons.ts");
    console.log((name === undefined ? undefined : lessons[name]) ?? help);
    return 0;
  },
};

function isPullRequest(word: string | undefined): boolean {
  return word === undefined || /^#?\d+$/.test(word);
}

async function pullRequest(deed: "approve" | "retry" | "cancel", words: readonly string[]): Promise<number> {
  const { onPullRequest } = await import("./command-line/pull-request.ts");
  return onPullRequest(deed, parse(words, {}).positionals);
}

async function environment(name: EnvironmentCommand["kind"], words: readonly string[]): Promise<number> {
  const as = { as: { type: "string" } } as const;
  const { values, positionals } = parse(words, name === "deploy" ? { ...as, override: { type: "string" } } : as);
  const { commandOf } = await import("./command-line/environment-words.ts");
  const { command, place } = commandOf(name, positionals, text(values.override));
  const { onEnvironment } = await import("./command-line/environment.ts");
  return saying((beside) => onEnvironment(beside, command, { ...place, as: text(values.as) }));
}

/** Prints what a command beside the server has to say. */
async function saying(work: (beside: Beside) => Promise<string>): Promise<number> {
  const { besideServer } = await import("./command-line/beside-server.ts");
  console.log(await besideServer(work));
  return 0;
}

const help = `signalbox: a self-hosted CI and deployment server for GitHub

  signalbox start                       the server (npm start); without an App it opens the set-up page
  signalbox demo [--once]               everything on this machine, with a stand-in for GitHub (npm run demo)
  signalbox replay FIXTURE… [--url URL] send fixtures, signed, to a running server
  signalbox replay FIXTURE… --local     handle them here, and print what GitHub would be asked
            [--file signalbox.yml]      … with this file as the repository's
  signalbox config check [FILE]         every mistake in a repository's file (.github/signalbox.yml)
  signalbox doctor [--json]             what is wrong with this server, and how to mend it
  signalbox why OWNER/REPO ENVIRONMENT [--json]   what is live, what is not, and what would change that
  signalbox deploy OWNER/REPO ENVIRONMENT [SHA] [--override "reason"]   the branch's head, or a commit of it
  signalbox rollback OWNER/REPO ENVIRONMENT [SHA] [REASON]   put back what was live before, and lock
  signalbox lock OWNER/REPO ENVIRONMENT REASON    nothing starts there but a rollback
  signalbox unlock OWNER/REPO ENVIRONMENT
  signalbox approve OWNER/REPO ENVIRONMENT SHA --as LOGIN    a person's yes to a commit that waits
  signalbox cancel OWNER/REPO ENVIRONMENT [REASON]           stop what is on its way there
  signalbox approve OWNER/REPO PULL_REQUEST SHA   let the checks of a fork's commit run
  signalbox retry OWNER/REPO PULL_REQUEST [CHECK] run the checks again that did not pass, or one of them
  signalbox cancel OWNER/REPO PULL_REQUEST        stop what it has under way
  signalbox secret set OWNER/REPO NAME [--environment ENV]   keep a secret; its value comes from standard input
  signalbox secret list OWNER/REPO                names and dates, never values
  signalbox secret remove OWNER/REPO NAME [--environment ENV]
  signalbox secret rotate                         seal all secrets with a new key
  signalbox backup FILE                           a copy of the database (SQLite), while the server runs
  signalbox move                                  from SQLite to the PostgreSQL of DATABASE_URL
  signalbox help [COMMAND]                        or: signalbox COMMAND --help

Settings come from the environment and from .env beside package.json; .env.example explains them.
Exit codes: 0 done, 1 it went wrong, 2 the words were not understood.`;

/** Runs one command. */
async function main([name = "help", ...words]: readonly string[]): Promise<number> {
  const command = commands[name === "--help" || name === "-h" ? "help" : name];
  if (command === undefined) throw new UsageError(`"${name}" is no command`);
  if (words.some((word) => word === "--help" || word === "-h")) return main(["help", name]);
  return command(words);
}

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>;

function parse(words: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(Error.isError(error) ? error.message : String(error), { cause: error });
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageError;
  console.error(
    `${Error.isError(error) ? error.message : String(error)}${isUsage ? "\n\nsignalbox help  lists the commands" : ""}`,
  );
  process.exitCode = isUsage ? 2 : 1;
}
