import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { enterControlGroup, findControlGroup } from "../../src/process/groups.ts";

// What the kernel shows is laid out in folders; that it obeys what is written there, the sandbox's tests try with the kernel of this machine.
const limits = { processes: 100, memory: 1_000_000, fileSize: 0, inMemory: 0, reserve: 0 };

let root: string;
let own: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "signalbox-groups-"));
  own = join(root, "own");
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** The second version, with the server in a group of its own. */
async function secondVersion(controllers: string, processes: readonly number[]): Promise<string> {
  const folder = join(root, "service");
  await mkdir(folder);
  await writeFile(own, "0::/service\n");
  await writeFile(join(folder, "cgroup.controllers"), `${controllers}\n`);
  await writeFile(join(folder, "cgroup.procs"), `${processes.join("\n")}\n`);
  return folder;
}

describe("a control group of the second version", () => {
  it("is divided: the server moves into one part, every command gets one with its bounds", async () => {
    const folder = await secondVersion("cpu memory pids", [process.pid, process.ppid]);
    const group = await findControlGroup(limits, { root, own });
    if (group === null) throw new Error("none was found");
    expect(await readFile(join(folder, "cgroup.subtree_control"), "utf8")).toBe("+pids +memory");
    expect(await readFile(join(folder, "signalbox-server/cgroup.procs"), "utf8")).toBe(String(process.ppid));

    await enterControlGroup(group, 4711);
    const part = (await readdir(folder)).find((name) => /^signalbox-[0-9a-f]{8}-/.test(name)) ?? "";
    const written = await Promise.all(
      ["pids.max", "memory.max", "memory.swap.max", "cgroup.procs"].map((name) => readFile(join(folder, part, name), "utf8")),
    );
    expect(written).toEqual(["100", "1000000", "0", "4711"]);
  });

  it("without the memory's controller bounds processes alone", async () => {
    const folder = await secondVersion("pids", [process.pid]);
    expect(await findControlGroup(limits, { root, own })).not.toBeNull();
    expect(await readFile(join(folder, "cgroup.subtree_control"), "utf8")).toBe("+pids");
  });

  it("is left alone when others live in it", async () => {
    const folder = await secondVersion("pids", [process.pid, 2]);
    expect(await findControlGroup(limits, { root, own })).toBeNull();
    expect((await readdir(folder)).sort()).toEqual(["cgroup.controllers", "cgroup.procs"]);
  });

  it("is none without the controller of processes, and none where there are no groups", async () => {
    await secondVersion("cpu", [process.pid]);
    expect(await findControlGroup(limits, { root, own })).toBeNull();
    expect(await findControlGroup(limits, { root: join(root, "no"), own: join(root, "no") })).toBeNull();
  });
});

describe("a control group of the first version", () => {
  it("is that of the processes; what a dead server left in it goes", async () => {
    await writeFile(own, "9:cpu,pids:/service\n4:memory:/other\n0::/\n");
    await mkdir(join(root, "pids/service/signalbox-left"), { recursive: true });
    expect(await findControlGroup(limits, { root, own })).toEqual({
      folder: join(root, "pids/service"),
      bounds: [{ file: "pids.max", value: "100", optional: false }],
    });
    expect(await readdir(join(root, "pids/service"))).toEqual([]);
  });

  it("that cannot be written is none", async () => {
    await writeFile(own, "9:pids:/service\n");
    expect(await findControlGroup(limits, { root, own })).toBeNull();
  });
});
