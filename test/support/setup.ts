import { afterAll, afterEach, expect } from "@jest/globals";
import { takeContractViolations, watchStandIns } from "./github-contract.ts";

// The stand-in's own tests ask it for what GitHub refuses.
const unwatch = expect.getState().testPath?.includes("/test/demo/") ? () => {} : watchStandIns();

/** A request that GitHub would refuse fails the test that sent it, even where the code got over the error. */
afterEach(failOnViolations);

// What a server sent while it ended.
afterAll(() => {
  unwatch();
  failOnViolations();
});

function failOnViolations(): void {
  const violations = takeContractViolations();
  if (violations.length > 0) throw new Error(`Requests that do not fit GitHub's API:\n${violations.join("\n")}`);
}
