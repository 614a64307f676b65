import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { runOfPayload } from "../../src/github/deployments.ts";

describe("our run in a deployment's payload", () => {
  it.each([
    ["an object", { signalbox: { run: 12 }, pull_request: 3 }],
    ["text, as GitHub stores it for some", JSON.stringify({ signalbox: { run: 12 } })],
  ])("is found in %s", (_what, payload) => {
    expect(runOfPayload(payload)).toBe(12);
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["empty text", ""],
    ["text that is no JSON", "deploy it please"],
    ["text that is JSON of something else", "12"],
    ["text in text", JSON.stringify(JSON.stringify({ signalbox: { run: 12 } }))],
    ["a list", [{ signalbox: { run: 12 } }]],
    ["no run", { signalbox: {} }],
    ["a run that is text", { signalbox: { run: "12" } }],
    ["a run that is half a number", { signalbox: { run: 1.5 } }],
    ["a run that is too large", { signalbox: { run: 2 ** 60 } }],
    ["a run that is a list", { signalbox: { run: [12] } }],
    ["signalbox is null", { signalbox: null }],
    ["signalbox is text", { signalbox: "run" }],
    ["a prototype", JSON.parse('{"__proto__": {"signalbox": {"run": 12}}}')],
    ["text that is nested deeply", "[".repeat(1_000_000)],
  ])("is not found in %s", (_what, payload) => {
    expect(runOfPayload(payload)).toBeNull();
  });

  it("never throws, whatever somebody sent", () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.json(), fc.string()), (payload) => {
        const run = runOfPayload(payload);
        expect(run === null || Number.isSafeInteger(run)).toBe(true);
      }),
    );
  });
});
