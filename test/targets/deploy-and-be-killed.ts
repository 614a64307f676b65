import { type AnyTarget, type DeployOrder } from "../../src/targets/target.ts";
import { directory } from "../../src/targets/directory/directory.ts";
import { recordingIo } from "../contracts/deploy-target.ts";

/** A server of its own that deploys one order with the target `directory` and says so before and after; the tests kill it on its way. */
const { order, options }: { readonly order: DeployOrder; readonly options: unknown } = JSON.parse(process.argv[2] ?? "");
const target: AnyTarget = directory;
process.stdout.write("deploying\n");
await target.deploy(options, order, recordingIo());
process.stdout.write("done\n");
