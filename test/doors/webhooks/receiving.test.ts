import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "@jest/globals";
import pino from "pino";
import { type Database, openDatabase } from "../../../src/database/connection.ts";
import { openReceiving, type Receiving } from "../../../src/doors/webhooks/receiving.ts";
import { until } from "../../support/until.ts";

const secret = "It's a Secret to Everybody";
const log = pino({ level: "silent" });
const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-receiving-"));
  endings.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const guidsIn = async (database: Database) =>
  (await database.read((db) => db.selectFrom("receipt").select("guid").orderBy("id").execute())).map(({ guid }) => guid);

/** What stands in the database of a folder that no server has. */
async function guidsAt(folder: string): Promise<string[]> {
  const database = await openDatabase({ url: null, folder });
  return guidsIn(database).finally(() => database.close());
}

/** In this process, until it is left as a dead process leaves it: nothing is moved any more. */
async function openAt(folder: string, database: Database): Promise<Receiving> {
  return openReceiving({ database, folder, listensTo: new Set(["push"]), log });
}

function arrival(guid: string, body = `{"guid":"${guid}"}`) {
  return { guid, event: "push", mediaType: "application/json" as const, body: [Buffer.from(body)] };
}

describe("what was received", () => {
  it("becomes receipts in the order of its arrival, however much of it comes at once", async () => {
    const folder = place();
    const database = await openDatabase({ url: null, folder });
    endings.push(() => database.close());
    const receiving = await openAt(folder, database);
    const guids = Array.from({ length: 1_500 }, (_, number) => `${number}`);
    // Of all sizes, one of them larger than is read at once.
    const filler = (number: number) => "x".repeat(number === 700 ? 3_000_000 : (number * 7_919) % 30_000);
    await Promise.all(
      guids.map((guid, number) => receiving.receive(arrival(guid, `{"guid":"${guid}","filler":"${filler(number)}"}`))),
    );
    await receiving.settled();
    expect(await guidsIn(database)).toEqual(guids);
    const bodies = await database.read((db) => db.selectFrom("receipt").select(["guid", "body"]).execute());
    for (const { guid, body } of bodies) expect(JSON.parse(body ?? "").guid).toBe(guid);
    await receiving.stop();
    expect(statSync(join(folder, "receipts.journal")).size).toBe(0);
  });

  it("is refused once the server stops, and what came before stands in the table", async () => {
    const folder = place();
    const database = await openDatabase({ url: null, folder });
    endings.push(() => database.close());
    const receiving = await openAt(folder, database);
    const before = receiving.receive(arrival("before"));
    const stopped = receiving.stop();
    await expect(receiving.receive(arrival("after"))).rejects.toThrow("The server is stopping");
    await Promise.all([before, stopped]);
    expect(await guidsIn(database)).toEqual(["before"]);
  });

  it("waits in the journal while the database cannot take it, also over a restart, and no event without listener keeps its body", async () => {
    const folder = place();
    const database = await openDatabase({ url: null, folder });
    endings.push(() => database.close());
    const rename = (from: string, to: string) => database.write((tx) => tx.db.schema.alterTable(from).renameTo(to).execute());
    const first = await openAt(folder, database);
    await rename("receipt", "away");
    await first.receive(arrival("a"));
    await first.receive({ guid: "b", event: "star", mediaType: "application/json", body: null });
    await first.stop();
    await rename("away", "receipt");
    const second = await openAt(folder, database);
    endings.push(() => second.stop());
    const rows = await database.read((db) => db.selectFrom("receipt").select(["guid", "state", "body"]).orderBy("id").execute());
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { guid: "a", state: "received", body: `{"guid":"a"}` },
      { guid: "b", state: "ignored", body: null },
    ]);
  });
});

/** A server in a process of its own. */
async function start(folder: string): Promise<{ readonly child: ChildProcess; readonly port: Promise<number> }> {
  const words = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "receiving-server.ts"), folder, secret];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  endings.push(() => kill(child));
  return { child, port: once(createInterface({ input: child.stdout }), "line").then(([line]) => Number(line)) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

describe("a server that is killed", () => {
  /** Sends over many connections as fast as it can, until the server is gone; tells each that was acknowledged, in the order of one connection. */
  async function pour(port: number, name: string, onAccepted: (count: number) => void): Promise<readonly string[][]> {
    const filler = "x".repeat(20_000);
    let count = 0;
    return Promise.all(
      Array.from({ length: 20 }, async (_, connection) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        const accepted: string[] = [];
        for (let number = 0; ; number += 1) {
          const guid = `${name}-${connection}-${number}`;
          const status = await post(port, guid, `{"guid":"${guid}","filler":"${filler}"}`, agent).catch(() => null);
          if (status === null) break;
          expect(status).toBe(202);
          accepted.push(guid);
          count += 1;
          onAccepted(count);
        }
        agent.destroy();
        return accepted;
      }),
    );
  }

  function post(port: number, guid: string, body: string, agent: Agent): Promise<number> {
    const headers = {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": guid,
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    };
    return new Promise((resolve, reject) => {
      const sent = request({ port, host: "127.0.0.1", method: "POST", headers, agent }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode ?? 0));
        response.on("error", reject);
      });
      sent.on("error", reject).end(body);
    });
  }

  it("has lost nothing that it acknowledged and moved nothing twice, round after round", async () => {
    const folder = place();
    const acknowledged: string[][] = [];
    for (const [round, least] of [40, 120, 240].entries()) {
      const { child, port } = await start(folder);
      const accepted = await pour(await port, `${round}`, (count) => count === least && child.kill("SIGKILL"));
      await kill(child);
      acknowledged.push(...accepted);
    }
    const last = await start(folder);
    await last.port;
    await kill(last.child);
    const guids = await guidsAt(folder);
    const count = new Map<string, number>();
    for (const guid of guids) count.set(guid, (count.get(guid) ?? 0) + 1);
    expect(acknowledged.flat().filter((guid) => !count.has(guid))).toEqual([]);
    expect([...count].filter(([, times]) => times !== 1)).toEqual([]);
    expect(acknowledged.flat().length).toBeGreaterThanOrEqual(40 + 120 + 240);
    // What one connection sent came one after the other.
    const order = new Map(guids.map((guid, index) => [guid, index]));
    for (const one of acknowledged) {
      const places = one.map((guid) => order.get(guid) ?? -1);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    }
  });

  it("goes on where it was when it is killed in the middle of moving", async () => {
    const folder = place();
    const guids = Array.from({ length: 4_000 }, (_, number) => `${number}`);
    const database = await openDatabase({ url: null, folder });
    await database.write((tx) => tx.db.schema.alterTable("receipt").renameTo("away").execute());
    const receiving = await openAt(folder, database);
    await Promise.all(guids.map((guid) => receiving.receive(arrival(guid, `{"filler":"${"x".repeat(5_000)}"}`))));
    await receiving.stop();
    await database.write((tx) => tx.db.schema.alterTable("away").renameTo("receipt").execute());

    const moved = async () => (await guidsIn(database)).length;
    let interrupted = 0;
    for (let kills = 0; kills < 3; kills += 1) {
      const { child, port } = await start(folder);
      const before = await moved();
      await Promise.race([until("some more are moved", async () => (await moved()) > before), port]);
      await kill(child);
      const now = await moved();
      if (now > before && now < guids.length) interrupted += 1;
    }
    const { child, port } = await start(folder);
    await port;
    await kill(child);
    expect(interrupted).toBeGreaterThan(0);
    expect(await guidsIn(database)).toEqual(guids);
    await database.close();
  });
});
