import { expect, it } from "@jest/globals";
import { targets } from "../../src/targets/index.ts";

it("lists every target by its name", () => {
  expect([...targets].map(([name, target]) => [name, target.name])).toEqual([
    ["directory", "directory"],
    ["command", "command"],
  ]);
});

it.each([
  ["directory", { path: "web" }],
  ["command", { run: "./deploy.sh" }],
])("%s reads once more what it has read", (name, options) => {
  const schema = targets.get(name)?.options;
  const read = schema?.parse(options);

  expect(read).toMatchObject(options);
  expect(schema?.parse(read)).toEqual(read);
});
