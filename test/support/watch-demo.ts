import { takeContractViolations, watchStandIns } from "./github-contract.ts";

/** Loaded by `node --import` before the demo: a request that GitHub would refuse lets it end with 1. */
watchStandIns();
process.on("exit", () => {
  const violations = takeContractViolations();
  if (violations.length === 0) return;
  console.error(`Requests that do not fit GitHub's API:\n${violations.join("\n")}`);
  process.exitCode = 1;
});
