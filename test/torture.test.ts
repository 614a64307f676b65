import { describe, expect, it, jest } from "@jest/globals";
import { undergo } from "../torture/ordeal.ts";

// A server is started and killed several times.
jest.setTimeout(300_000);

describe("a server that is killed at random moments of a busy life", () => {
  it("loses nothing, does nothing twice, leaves nothing behind and makes GitHub tell the truth: two kills of many", async () => {
    const report = await undergo({ engine: "sqlite", kills: 2, seed: 7, say: () => {} });
    const { lost, twice, together, orphans, never } = report;
    expect({ lost, twice, together, orphans, never }).toEqual({ lost: 0, twice: 0, together: 0, orphans: 0, never: 0 });
    expect(report.deliveries).toBeGreaterThan(0);
  });
});
