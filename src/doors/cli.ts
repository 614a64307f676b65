import { parseArgs } from "node:util";
import { checkConfiguration } from "./command-line/config-check.ts";
import { onPullRequest } from "./command-line/pull-request.ts";
import { replay } from "./command-line/replay.ts";
import { listSecretsCommand, removeSecretCommand, rotateSecretKeyCommand, setSecretCommand } from "./command-line/secret.ts";

/** A command: takes the words behind its name, says what happened, and gives the exit code. Throws `UsageError` for words it does not take. */
type Command = (words: readonly string[]) => Promise<number>;

const commands: Readonly<Record<string, Command>> = {
  replay: (words) => {
    const { values, positionals } = parse(words, {
      local: { type: "boolean" },
      url: { type: "string" },
      file: { type: "string" },
    });
    return replay(positionals, { local: values.local === true, url: text(values.url), file: text(values.file) });
  },
  config: ([action, ...words]) => {
    if (action !== "check") throw new TypeError(`"config ${action ?? ""}" is no command; there is "config check [FILE]"`);
    return checkConfiguration(parse(words, {}).positionals[0]);
  },
  secret: ([action, ...words]) => {
    const { values, positionals } = parse(words, { environment: { type: "string" } });
    const [repository, name] = positionals;
    const environment = text(values.environment) ?? null;
    if (action === "set") return setSecretCommand(repository, name, environment);
    if (action === "list") return listSecretsCommand(repository);
    if (action === "remove") return removeSecretCommand(repository, name, environment);
    if (action === "rotate") return rotateSecretKeyCommand();
    throw new TypeError(`"secret ${action ?? ""}" is no command; there are set, list, remove and rotate`);
  },
  approve: (words) => onPullRequest("approve", parse(words, {}).positionals),
  retry: (words) => onPullRequest("retry", parse(words, {}).positionals),
  cancel: (words) => onPullRequest("cancel", parse(words, {}).positionals),
  help: async () => {
    console.log(help);
    return 0;
  },
};

const help = `signalbox: a self-hosted CI and deployment server for GitHub

  signalbox start                       the server (npm start); without an App it opens the set-up page
  signalbox demo [--once]               everything on this machine, with a stand-in for GitHub (npm run demo)
  signalbox replay FIXTURE… [--url URL] send fixtures, signed, to a running server
  signalbox replay FIXTURE… --local     handle them here, and print what GitHub would be asked
            [--file signalbox.yml]      … with this file as the repository's
  signalbox config check [FILE]         every mistake in a repository's file (.github/signalbox.yml)
  signalbox approve OWNER/REPO PULL_REQUEST SHA   let the checks of a fork's commit run
  signalbox retry OWNER/REPO PULL_REQUEST [CHECK] run the checks again that did not pass, or one of them
  signalbox cancel OWNER/REPO PULL_REQUEST        stop what it has under way
  signalbox help

Settings come from the environment and from .env beside package.json; .env.example explains them.
Exit codes: 0 done, 1 it went wrong, 2 the words were not understood.`;

/** Runs one command. */
async function main([name = "help", ...words]: readonly string[]): Promise<number> {
  const command = commands[name === "--help" || name === "-h" ? "help" : name];
  if (command === undefined) throw new TypeError(`"${name}" is no command`);
  return command(words);
}

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>;

function parse(words: readonly string[], options: Options) {
  return parseArgs({ args: [...words], options, allowPositionals: true });
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof TypeError;
  console.error(
    `${Error.isError(error) ? error.message : String(error)}${isUsage ? "\n\nsignalbox help  lists the commands" : ""}`,
  );
  process.exitCode = isUsage ? 2 : 1;
}
