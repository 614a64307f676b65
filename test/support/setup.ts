import { afterEach } from "@jest/globals";
import { takeContractViolations } from "./github-contract.ts";

/** A request that GitHub would refuse fails the test that sent it, even where the code got over the error. */
afterEach(() => {
  const violations = takeContractViolations();
  if (violations.length > 0) throw new Error(`Requests that do not fit GitHub's API:\n${violations.join("\n")}`);
});
