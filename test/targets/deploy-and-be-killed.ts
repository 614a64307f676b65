import { targets } from "../../src/targets/index.ts";
import { type DeployOrder, OperatorProblem } from "../../src/targets/target.ts";

/** A server of its own that deploys orders, one after the other, and says what came of each; the tests kill it on its way. */
interface Asked {
  readonly target?: string;
  readonly orders: readonly DeployOrder[];
  readonly options: unknown;
  readonly secrets?: Readonly<Record<string, string>>;
}

const { target: name = "directory", orders, options, secrets }: Asked = JSON.parse(process.argv[2] ?? "");
const target = targets.get(name);
if (target === undefined) throw new Error(`there is no target ${name}`);
const write = async (output: Uint8Array) => {
  if (name !== "directory") process.stdout.write(output);
};
const io = { write, stop: new AbortController().signal, remember: async () => {}, remembered: null };
process.stdout.write("deploying\n");
for (const order of orders) {
  const said = await target
    .deploy(options, { ...order, secret: async (secret) => secrets?.[secret] ?? null }, io)
    .then(JSON.stringify, (error) => (error instanceof OperatorProblem ? `${error.message}. ${error.fix}.` : String(error)));
  process.stdout.write(`${said}\n`);
}
