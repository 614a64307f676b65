import { createHook } from "node:async_hooks";
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "@jest/globals";
import { sql } from "kysely";
import { type Database, openDatabase, type Transaction } from "../../src/database/connection.ts";
import { engines, type Place } from "../support/engines.ts";
import { until } from "../support/until.ts";

const receive = (guid: string) => async (tx: Transaction) => {
  await tx.db.insertInto("receipt").values({ guid, event: "push", received_at: tx.now, state: "received" }).execute();
};
const guids = async (database: Database) =>
  (await database.read((db) => db.selectFrom("receipt").select("guid").orderBy("id").execute())).map((row) => row.guid);

const children: ChildProcess[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A process that opens the database and runs `body` with it; its lines of output, as they come. */
function process(place: Place, body: string, options: object = {}) {
  const source = `
    import { openDatabase } from ${JSON.stringify(new URL("../../src/database/connection.ts", import.meta.url))};
    const say = (line) => new Promise((resolve) => globalThis.process.stdout.write(line + "\\n", resolve));
    const database = await openDatabase(${JSON.stringify({ ...place, ...options })});
    ${body}`;
  const child = spawn(
    globalThis.process.execPath,
    ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", source],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  children.push(child);
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  return { child, lines: createInterface({ input: child.stdout }), errors: () => errors };
}

function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.kill("SIGKILL");
  return ended;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-faults-"));
  folders.push(folder);
  return folder;
}

describe.each(engines())("the database on %s when things go wrong", (_name, storage) => {
  it("keeps every acknowledged row when its process is killed", async () => {
    const place = await storage.place();
    for (let round = 0; round < 3; round += 1) {
      const { child, lines, errors } = process(
        place,
        `for (let n = 0; ; n++) {
          const guid = "${round}-" + n;
          await database.write((tx) => tx.db.insertInto("receipt").values({ guid, event: "push", received_at: tx.now, state: "received" }).execute());
          await say(guid);
        }`,
      );
      const acknowledged: string[] = [];
      for await (const line of lines) {
        acknowledged.push(line);
        if (acknowledged.length === 30) child.kill("SIGKILL");
      }
      expect(errors()).toBe("");
      const database = await storage.openAt(place);
      expect(await guids(database)).toEqual(expect.arrayContaining(acknowledged));
      await database.close();
    }
  });

  it("is brought up to date once when several open it at the same moment", async () => {
    const place = await storage.place();
    const opened = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const { lines, errors } = process(place, `await say("open"); await database.close();`);
        const said: string[] = [];
        for await (const line of lines) said.push(line);
        return { said, errors: errors() };
      }),
    );
    expect(opened).toEqual(Array(4).fill({ said: ["open"], errors: "" }));
    const database = await storage.openAt(place);
    const { rows } = await database.read((db) => sql<{ name: string }>`select name from migration`.execute(db));
    const names = rows.map((row) => row.name);
    expect(names).toContain("0001-first-tables");
    expect(new Set(names).size).toBe(names.length);
  });

  it("is brought up to date once when one process opens it several times at once", async () => {
    const place = await storage.place();
    const databases = await Promise.all(Array.from({ length: 3 }, () => storage.openAt(place)));
    await Promise.all(databases.map((database, index) => database.write(receive(`${index}`))));
    expect(await guids(await storage.openAt(place))).toHaveLength(3);
  });

  it("is not opened by an older Signalbox than the one that wrote it", async () => {
    const place = await storage.place();
    const newer = await storage.openAt(place);
    await newer.write((tx) => sql`insert into migration (name, applied_at) values ('9999-from-the-future', 0)`.execute(tx.db));
    await newer.close();
    await expect(storage.openAt(place)).rejects.toThrow("written by a newer Signalbox (migration 9999-from-the-future)");
  });
});

describe("SQLite in its folder", () => {
  const open = (folder: string, more = {}) => openDatabase({ url: null, folder, ...more });

  it("makes a folder that only its user may enter", async () => {
    const folder = join(temporaryFolder(), "a", "data");
    await (await open(folder)).close();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it.each([
    ["is a file", (folder: string) => writeFileSync(folder, "")],
    [
      "holds a database that is none",
      (folder: string) => write(folder, "no database, but longer than one header of SQLite would have to be\n".repeat(20)),
    ],
    ["holds a folder instead of the database", (folder: string) => mkdirSync(join(folder, "signalbox.db"), { recursive: true })],
    ["holds half a database", (folder: string) => write(folder, `SQLite format 3\0${"x".repeat(5_000)}`)],
  ])("says what is wrong when the folder %s", async (_what, spoil) => {
    const folder = join(temporaryFolder(), "data");
    spoil(folder);
    const opening = open(folder);
    await expect(opening).rejects.toThrow(`Cannot open the database in ${folder}: `);
    await expect(opening).rejects.toThrow("a folder that its user may write to");
  });

  function write(folder: string, text: string): void {
    mkdirSync(folder);
    writeFileSync(join(folder, "signalbox.db"), text);
  }

  it("says what is wrong when the folder may not be written", async () => {
    // Of all folders only those of the kernel refuse root too.
    const folder = userInfo().uid === 0 ? "/proc/self/task" : temporaryFolder();
    if (folder !== "/proc/self/task") chmodSync(folder, 0o500);
    await expect(open(folder)).rejects.toThrow(`Cannot open the database in ${folder}: `);
  });

  it("refuses what a full disk cannot hold, keeps what it held, and goes on when there is room", async () => {
    const database = await open(temporaryFolder());
    const limit = (pages: number) => database.write((tx) => sql`pragma max_page_count = ${sql.raw(`${pages}`)}`.execute(tx.db));
    const big = async (tx: Transaction) => {
      await receive("big")(tx);
      await tx.db
        .updateTable("receipt")
        .set({ error: "x".repeat(3_000_000) })
        .where("guid", "=", "big")
        .execute();
    };
    await database.write(receive("before"));
    await limit(100);
    await expect(database.write(big)).rejects.toThrow("database or disk is full");
    await database.write(receive("small"));
    await limit(100_000);
    await database.write(big);
    expect(await guids(database)).toEqual(["before", "small", "big"]);
    await database.close();
  });

  it("waits for the disk before a write resolves, but not when nothing was changed", async () => {
    const database = await open(temporaryFolder());
    const requests: string[] = [];
    const hook = createHook({ init: (_id, type) => void (type === "FSREQPROMISE" && requests.push(type)) }).enable();
    await database.write(async (tx) => void (await tx.db.selectFrom("receipt").select("id").execute()));
    expect(requests).toEqual([]);
    await database.write(receive("a"));
    expect(requests).toEqual(["FSREQPROMISE"]);
    hook.disable();
    await database.close();
  });

  it("waits for another writer without stopping the event loop", async () => {
    const folder = temporaryFolder();
    const [database, other] = [await open(folder), await open(folder)];
    const turns = Promise.withResolvers<void>();
    const holding = other.write(() => turns.promise);
    const writing = database.write(receive("a"));
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
    turns.resolve();
    await Promise.all([holding, writing]);
    expect(await guids(database)).toEqual(["a"]);
    await database.close();
    await other.close();
  });

  it("cannot be written through read", async () => {
    const database = await open(temporaryFolder());
    const writing = database.read((db) =>
      db.insertInto("receipt").values({ guid: "a", event: "push", received_at: 0, state: "received" }).execute(),
    );
    await expect(writing).rejects.toThrow("readonly");
    await database.close();
  });

  describe("a write that awaits something else than the database", () => {
    const watched = async () => {
      const slow: Error[] = [];
      const database = await open(temporaryFolder(), { onSlowWrite: (error: Error) => slow.push(error) });
      return { database, slow };
    };
    const turn = () => new Promise((resolve) => setImmediate(resolve));

    it("is reported, with where it stands", async () => {
      const { database, slow } = await watched();
      await database.write(async function slowWrite(tx) {
        await receive("a")(tx);
        await turn();
        await turn();
      });
      expect(slow.map(String)).toEqual([expect.stringContaining("awaited something other than the database")]);
      expect(slow[0]?.stack).toContain("faults.test.ts");
      await database.close();
    });

    it("is not reported when it is only long, waits for its turn, or is rolled back", async () => {
      const { database, slow } = await watched();
      const long = async (tx: Transaction) => {
        for (let n = 0; n < 200; n += 1) await receive(`${n}`)(tx);
      };
      const refused = database.write(async (tx) => {
        await long(tx);
        throw new Error("roll back");
      });
      await Promise.allSettled([database.write(long), database.write(long), refused, guids(database)]);
      await turn();
      await turn();
      expect(slow).toEqual([]);
      await database.close();
    });
  });

  describe("opened for a server", () => {
    it("refuses a second server, naming the process that has it, until that one ends", async () => {
      const folder = temporaryFolder();
      // Nobody refers to its database any more when its garbage is collected: it has the folder all the same.
      const idle = `
        const { setFlagsFromString } = await import("node:v8");
        const { runInNewContext } = await import("node:vm");
        setFlagsFromString("--expose-gc");
        setInterval(() => { runInNewContext("gc")(); say("open"); }, 100);`;
      const { child, lines } = process({ url: null, folder }, idle, { exclusive: true });
      await new Promise((resolve) => lines.once("line", resolve));
      await expect(open(folder, { exclusive: true })).rejects.toThrow(
        `Another Signalbox server (pid ${child.pid}) uses ${folder}: stop it, or give this one a DATA_DIR of its own`,
      );
      await kill(child);
      const next = await open(folder, { exclusive: true });
      expect(readFileSync(join(folder, "server.pid"), "utf8")).toBe(`${globalThis.process.pid}\n`);
      await next.close();
      await (await open(folder, { exclusive: true })).close();
    });

    it("moves what is committed from the log into the database file in a thread of its own", async () => {
      const folder = temporaryFolder();
      const server = await open(folder, { exclusive: true });
      const megabytes = 12;
      for (let written = 0; written < megabytes; written += 1) {
        const row = {
          guid: `${written}`,
          event: "push",
          received_at: 0,
          state: "received" as const,
          body: "x".repeat(1_000_000),
        };
        await server.write((tx) => tx.db.insertInto("receipt").values(row).execute());
      }
      await until("it is in the file", () => statSync(join(folder, "signalbox.db")).size > megabytes * 1_000_000);
      expect(await guids(server)).toHaveLength(megabytes);
      await server.close();
    });

    it("lets the command line read and write beside it", async () => {
      const folder = temporaryFolder();
      const server = await open(folder, { exclusive: true });
      const { lines, errors } = process(
        { url: null, folder },
        `await database.write((tx) => tx.db.insertInto("receipt").values({ guid: "cli", event: "push", received_at: 0, state: "received" }).execute());
        await say("done"); await database.close();`,
      );
      const said: string[] = [];
      for await (const line of lines) said.push(line);
      expect([said, errors()]).toEqual([["done"], ""]);
      expect(await guids(server)).toEqual(["cli"]);
      await server.close();
    });

    it("keeps its lock while the same process opens the folder again", async () => {
      const folder = temporaryFolder();
      const server = await open(folder, { exclusive: true });
      await expect(open(folder, { exclusive: true })).rejects.toThrow("Another Signalbox server");
      await (await open(folder)).close();
      const { lines, errors } = process({ url: null, folder }, "", { exclusive: true });
      for await (const _ of lines);
      expect(errors()).toContain("Another Signalbox server");
      await server.close();
    });
  });
});

const [, postgres] = engines().find(([, { engine }]) => engine === "postgres") ?? [];
(postgres === undefined ? describe.skip : describe)("PostgreSQL and its connections", () => {
  if (postgres === undefined) return;

  it("says where it is and that it cannot be reached, without the password", async () => {
    const opening = openDatabase({ url: "postgres://signalbox:hunter2@127.0.0.1:1/signalbox", folder: tmpdir() });
    await expect(opening).rejects.toThrow("Cannot connect to PostgreSQL at 127.0.0.1:1 (DATABASE_URL): connect ECONNREFUSED");
    await expect(opening).rejects.not.toThrow("hunter2");
  });

  it("does again what had to give way in a deadlock, whole and once", async () => {
    const database = await postgres.open();
    await database.write(receive("a"));
    await database.write(receive("b"));
    const both = Promise.withResolvers<void>();
    let [calls, begun] = [0, 0];
    const append = (tx: Transaction, guid: string, name: string) =>
      sql`update receipt set error = coalesce(error, '') || ${name} where guid = ${guid}`.execute(tx.db);
    const cross = (name: string, first: string, second: string) =>
      database.write(async (tx) => {
        calls += 1;
        await append(tx, first, name);
        begun += 1;
        if (begun === 2) both.resolve();
        await both.promise;
        await append(tx, second, name);
        tx.ring("runs");
        return name;
      });
    let rings = 0;
    database.wake.on("runs", () => {
      rings += 1;
    });
    expect(await Promise.all([cross("x", "a", "b"), cross("y", "b", "a")])).toEqual(["x", "y"]);
    expect(calls).toBe(3);
    const rows = await database.read((db) => db.selectFrom("receipt").select("error").orderBy("id").execute());
    expect(rows.map(({ error }) => [...(error ?? "")].toSorted().join(""))).toEqual(["xy", "xy"]);
    await until("it rings", () => rings > 0);
  });

  it.each([
    ["a serialization failure", "40001", 5],
    ["what others have nothing to do with", "22012", 1],
  ])("gives up on %s that does not pass", async (_what, code, times) => {
    const database = await postgres.open();
    let calls = 0;
    const writing = database.write(async (tx) => {
      calls += 1;
      await receive("never")(tx);
      await sql`do ${sql.raw(`$$ begin raise exception 'no' using errcode = '${code}'; end $$`)}`.execute(tx.db);
    });
    await expect(writing).rejects.toMatchObject({ code });
    expect(calls).toBe(times);
    expect(await guids(database)).toEqual([]);
  });

  it("wakes who waits on another connection", async () => {
    const place = await postgres.place();
    const [one, other] = [await postgres.openAt(place), await postgres.openAt(place)];
    const heard = [one, other].map((database) => new Promise<void>((resolve) => database.wake.on("log:7", resolve)));
    await one.write(async (tx) => tx.ring("log:7"));
    await Promise.all(heard);
  });

  it("rejects a write whose connection is cut, and goes on with a new one", async () => {
    const place = await postgres.place();
    const database = await postgres.openAt(place);
    const write = database.write(async (tx) => {
      await receive("lost")(tx);
      await cutAll(place);
      await receive("never")(tx);
    });
    await expect(write).rejects.toThrow(/connection/);
    await database.write(receive("next"));
    expect(await guids(database)).toEqual(["next"]);
  });

  it("survives that all its idle connections are cut, and hears again", async () => {
    const place = await postgres.place();
    const [one, other] = [await postgres.openAt(place), await postgres.openAt(place)];
    let rings = 0;
    other.wake.on("runs", () => {
      rings += 1;
    });
    await Promise.all([guids(one), guids(one), guids(other)]);
    await cutAll(place);
    await until("the other one is rung again", () => {
      one.wake.ring("runs");
      return rings > 0;
    });
    expect(await until("it reads again", () => guids(one).catch(() => false))).toEqual([]);
  });

  it("wakes its own process while nobody can be reached, and comes back with one listening connection", async () => {
    const place = await postgres.place();
    const proxy = await startProxy(place);
    const database = await openDatabase({ ...place, url: proxy.url });
    let rings = 0;
    database.wake.on("runs", () => {
      rings += 1;
    });
    await proxy.cut();
    await until("its own process is rung", () => {
      database.wake.ring("runs");
      return rings > 0;
    });
    await until("it has tried again twice", () => proxy.refused() >= 2);
    proxy.mend();
    const listening = async () =>
      (
        await postgres
          .server()
          .then((server) =>
            server.run(
              place.url ?? "",
              "select pid from pg_stat_activity where datname = current_database() and query like 'listen%'",
            ),
          )
      ).length;
    await until("it listens again", async () => (await listening()) === 1);
    await database.close();
    await until("it listens no more", async () => (await listening()) === 0);
    await proxy.stop();
  });

  async function cutAll(place: Place): Promise<void> {
    const server = await postgres?.server();
    await server?.run(
      place.url ?? "",
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
  }
});

/** A cable to PostgreSQL that can be cut. */
async function startProxy({ url }: Place) {
  const behind = new URL(url ?? "");
  const sockets = new Set<Socket>();
  let [isCut, refused] = [false, 0];
  const server: Server = createServer((near) => {
    if (isCut) {
      refused += 1;
      near.destroy();
      return;
    }
    const far = createConnection(join(behind.searchParams.get("host") ?? "", ".s.PGSQL.5432"));
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket
        .on("error", () => {})
        .on("close", () => {
          near.destroy();
          far.destroy();
          sockets.delete(socket);
        });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const cut = async () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
    await until("every connection is cut", () => sockets.size === 0);
  };
  return {
    url: `postgres://postgres@127.0.0.1:${port}${behind.pathname}`,
    cut,
    mend: () => {
      isCut = false;
    },
    refused: () => refused,
    stop: async () => {
      await cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
