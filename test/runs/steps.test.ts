import { expect, it } from "@jest/globals";
import type { Database } from "../../src/database/connection.ts";
import { openSteps } from "../../src/runs/steps.ts";

const attempt = { run: 1, attempt: 1 };
const output = { endLine: () => 1 };

/** A database that takes what is written when it is told to, and knows in which order it was asked. */
function slowDatabase() {
  const asked: PromiseWithResolvers<void>[] = [];
  const write = () => {
    const one = Promise.withResolvers<void>();
    asked.push(one);
    return one.promise;
  };
  return { asked, database: { write } as unknown as Database };
}

it("the work goes on while a step is written, and its end is written when its beginning is", async () => {
  const { asked, database } = slowDatabase();
  const steps = openSteps(database, attempt, output);
  await steps.open("Deploy").end(0);
  await new Promise(setImmediate);
  expect(asked).toHaveLength(1);
  asked[0]?.resolve();
  await new Promise(setImmediate);
  expect(asked).toHaveLength(2);
  asked[1]?.resolve();
  await steps.settled();
});

it("a step that is not taken is told of at the end, and those after it are written", async () => {
  const { asked, database } = slowDatabase();
  const steps = openSteps(database, attempt, output);
  steps.open("Check out");
  steps.open("Deploy");
  await new Promise(setImmediate);
  asked[0]?.reject(new Error("the disk is full"));
  await new Promise(setImmediate);
  asked[1]?.resolve();
  await expect(steps.settled()).rejects.toThrow("the disk is full");
});
