import { directory } from "../../src/targets/directory/directory.ts";
import { type DeployOrder, OperatorProblem } from "../../src/targets/target.ts";

/** A server of its own that deploys orders with the target `directory`, one after the other, and says what came of each; the tests kill it on its way. */
const { orders, options }: { readonly orders: readonly DeployOrder[]; readonly options: unknown } = JSON.parse(
  process.argv[2] ?? "",
);
const io = { write: async () => {}, stop: new AbortController().signal, remember: async () => {}, remembered: null };
process.stdout.write("deploying\n");
for (const order of orders) {
  const said = await directory
    .deploy(options, order, io)
    .then(JSON.stringify, (error) => (error instanceof OperatorProblem ? `${error.message}. ${error.fix}.` : String(error)));
  process.stdout.write(`${said}\n`);
}
