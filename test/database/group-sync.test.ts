import { describe, expect, it } from "@jest/globals";
import { groupSync } from "../../src/database/group-sync.ts";

describe("sharing a slow sync", () => {
  /** Syncs that end, or fail, when the test says so. */
  function slowSyncs() {
    const begun: PromiseWithResolvers<void>[] = [];
    const synced = groupSync(() => {
      const sync = Promise.withResolvers<void>();
      begun.push(sync);
      return sync.promise;
    });
    const settled: string[] = [];
    const call = (name: string) =>
      synced().then(
        () => settled.push(name),
        () => settled.push(`${name} failed`),
      );
    return { begun, settled, call };
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it("resolves a call with a sync that began after it, never with one before", async () => {
    const { begun, settled, call } = slowSyncs();
    for (const name of ["a", "b", "c"]) call(name);
    call("d");
    call("e");
    expect(begun).toHaveLength(3);
    begun[0]?.resolve();
    await turn();
    expect(settled).toEqual(["a"]);
    expect(begun).toHaveLength(4);
    for (const sync of begun.slice(1, 3)) sync.resolve();
    await turn();
    expect(settled).toEqual(["a", "b", "c"]);
    begun[3]?.resolve();
    await turn();
    expect(settled).toEqual(["a", "b", "c", "d", "e"]);
    expect(begun).toHaveLength(4);
  });

  it("rejects everything from the first failure on, also what was under way", async () => {
    const { begun, settled, call } = slowSyncs();
    for (const name of ["a", "b", "c", "d"]) call(name);
    begun[1]?.reject(new Error("EIO"));
    await turn();
    begun[0]?.resolve();
    begun[2]?.resolve();
    await turn();
    call("e");
    await turn();
    expect(settled.toSorted()).toEqual(["a failed", "b failed", "c failed", "d failed", "e failed"]);
    expect(begun).toHaveLength(3);
  });
});
