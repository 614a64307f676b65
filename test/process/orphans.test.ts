import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "@jest/globals";
import { endOrphans, markedBy } from "../../src/process/orphans.ts";
import { until } from "../support/until.ts";
import { processesNamed } from "./processes.ts";

const path = { PATH: "/usr/bin:/bin" };
const mark = randomUUID();
const name = randomUUID();

afterEach(async () => {
  for (const pid of await processesNamed(name)) process.kill(pid, "SIGKILL");
});

/** Starts, as a server would that dies, a process that is named by its last argument and ignores what it can. */
async function leave(marks: Readonly<Record<string, string>>): Promise<void> {
  const script = `trap '' TERM HUP; while :; do sleep 0.05; done`;
  const server = spawn("/bin/sh", ["-c", `setsid sh -c "$0" ${name} >/dev/null 2>&1 & exit`, script], {
    env: { ...path, ...marks },
  });
  await once(server, "exit");
}

describe("what a dead server left", () => {
  it("is killed and counted when it carries the mark", async () => {
    await leave(markedBy(mark));
    await leave(markedBy(mark));
    await until("both run", async () => (await processesNamed(name)).length === 2);

    expect(await endOrphans(mark)).toBeGreaterThanOrEqual(2);
    expect(await processesNamed(name)).toEqual([]);
    expect(await endOrphans(mark)).toBe(0);
  });

  it("is left alone when it is another server's", async () => {
    await leave(markedBy(`${mark}-of-another`));
    await leave({ OTHER: `SIGNALBOX_SERVER=${mark}` });
    await until("both run", async () => (await processesNamed(name)).length === 2);

    expect(await endOrphans(mark)).toBe(0);
    expect(await processesNamed(name)).toHaveLength(2);
  });

  it("is never the server itself, nor what started it", async () => {
    const orphans = new URL("../../src/process/orphans.ts", import.meta.url);
    const script = `import { endOrphans } from "${orphans}"; process.stdout.write(String(await endOrphans("${mark}")));`;
    const env = { ...path, ...markedBy(mark) };
    const server = spawn(
      "/bin/sh",
      ["-c", '"$@"; echo " survived"', "sh", process.execPath, "--input-type=module", "-e", script],
      { env },
    );
    let said = "";
    server.stdout.on("data", (data) => {
      said += data;
    });
    await once(server, "close");
    expect(said).toBe("0 survived\n");
  });
});
