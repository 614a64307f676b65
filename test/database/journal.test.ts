import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type Journal, type JournalOptions, openJournal } from "../../src/database/journal/journal.ts";
import { headerSize, newPass, nextRecord } from "../../src/database/journal/record.ts";
import { probeSandbox } from "../../src/process/sandbox.ts";

const folders: string[] = [];
const journals: Journal[] = [];
afterEach(async () => {
  for (const journal of journals.splice(0)) await journal.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-journal-"));
  folders.push(folder);
  return join(folder, "journal");
}

async function open(path: string, options: Partial<JournalOptions> = {}): Promise<Journal> {
  const journal = await openJournal({ path, released: 0, ...options });
  journals.push(journal);
  return journal;
}

const append = (journal: Journal, ...texts: readonly string[]) =>
  Promise.all(texts.map((text) => journal.append([Buffer.from(text)])));

/** All that is left to read. */
async function rest(journal: Journal) {
  const all = [];
  for (let entries = await journal.read(); entries.length > 0; entries = await journal.read()) all.push(...entries);
  return all;
}

const textsOf = async (journal: Journal) => (await rest(journal)).map(({ content }) => content.toString());

describe("the journal", () => {
  it("gives back what was appended, in its order, numbered, once", async () => {
    const journal = await open(place());
    await append(journal, "a", "", "c");
    await journal.append([Buffer.from("in "), Buffer.from("pieces")]);
    const entries = await rest(journal);
    expect(entries.map(({ sequence, content }) => [sequence, content.toString()])).toEqual([
      [1, "a"],
      [2, ""],
      [3, "c"],
      [4, "in pieces"],
    ]);
    expect(await journal.read()).toEqual([]);
  });

  it("keeps for the next process what was not released", async () => {
    const path = place();
    const first = await open(path);
    await append(first, "a", "b", "c");
    const [a] = await first.read();
    if (a !== undefined) first.release(a);
    await first.close();
    const second = await open(path, { released: 1 });
    await append(second, "d");
    expect(await textsOf(second)).toEqual(["b", "c", "d"]);
  });

  it("begins anew at the start of its file when all is released, and never gives a number twice", async () => {
    const path = place();
    const journal = await open(path);
    await append(journal, "first", "second");
    const size = statSync(path).size;
    for (let round = 0; round < 3; round += 1) {
      const last = (await rest(journal)).at(-1);
      if (last !== undefined) journal.release(last);
      expect(journal.backlog()).toBe(0);
      await append(journal, "third");
      expect(statSync(path).size).toBe(size);
    }
    expect((await rest(journal)).map(({ sequence }) => sequence)).toEqual([5]);
    await journal.close();
    // Also when the file is gone: what is elsewhere was numbered too.
    rmSync(path);
    const next = await open(path, { released: 5 });
    await append(next, "fourth");
    expect((await rest(next)).map(({ sequence }) => sequence)).toEqual([6]);
  });

  it("gives nothing again of a file that is older than what is kept elsewhere", async () => {
    const path = place();
    const first = await open(path);
    await append(first, "a", "b");
    await first.close();
    const second = await open(path, { released: 7 });
    expect(await rest(second)).toEqual([]);
    await append(second, "c");
    expect((await rest(second)).map(({ sequence }) => sequence)).toEqual([8]);
  });

  it("is small again when it had grown large, and all is released", async () => {
    const path = place();
    const kept = 3_000_000;
    const journal = await open(path, { kept });
    const large = Buffer.alloc(1_000_000);
    await Promise.all(Array.from({ length: 5 }, () => journal.append([large])));
    expect(statSync(path).size).toBeGreaterThan(5_000_000);
    const last = (await rest(journal)).at(-1);
    if (last !== undefined) journal.release(last);
    await journal.settled();
    expect(statSync(path).size).toBe(kept);
    await journal.close();
    expect(statSync(path).size).toBe(0);
  });

  it("refuses what is more than may wait, and takes more when there is room", async () => {
    const journal = await open(place(), { largest: 1_000 });
    await journal.append([Buffer.alloc(600)]);
    await expect(journal.append([Buffer.alloc(600)])).rejects.toThrow("More arrives than can be moved out of the journal");
    const [entry] = await journal.read();
    if (entry !== undefined) journal.release(entry);
    await journal.append([Buffer.alloc(600)]);
  });

  it("takes nothing any more once a sync has failed, though the next would succeed", async () => {
    // The kernel writes to it, and has nothing to sync.
    const journal = await open("/dev/null");
    await expect(append(journal, "a")).rejects.toThrow("check the disk, then restart Signalbox");
    expect(journal.broken()?.message).toContain("check the disk, then restart Signalbox");
    await expect(append(journal, "b")).rejects.toThrow("check the disk, then restart Signalbox");
  });

  it("finishes what is under way when it is closed, and refuses what comes later", async () => {
    const path = place();
    const journal = await open(path);
    const appended = append(journal, "a", "b");
    const closed = journal.close();
    await expect(append(journal, "c")).rejects.toThrow("The journal is closed");
    await Promise.all([appended, closed]);
    expect(await textsOf(await open(path))).toEqual(["a", "b"]);
  });
});

describe("a journal whose process died", () => {
  /** Three records, and where each ends. */
  async function written() {
    const path = place();
    const journal = await open(path);
    await append(journal, "one", "two, a little longer", "three");
    const ends = (await rest(journal)).map(({ end }) => end);
    await journal.close();
    return { path, bytes: readFileSync(path), ends };
  }

  it("ends before the record that was torn, at whichever byte", async () => {
    const { path, bytes, ends } = await written();
    for (let length = 0; length <= bytes.length; length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      const journal = await openJournal({ path, released: 0 });
      expect([length, (await rest(journal)).length]).toEqual([length, ends.filter((end) => end <= length).length]);
      await journal.close();
    }
  });

  it("ends before the record that has another byte than was written, whichever it is", async () => {
    const { path, bytes, ends } = await written();
    for (let at = 0; at < bytes.length; at += 1) {
      const spoilt = Buffer.from(bytes);
      spoilt[at] = (spoilt[at] ?? 0) ^ 0x10;
      writeFileSync(path, spoilt);
      const journal = await openJournal({ path, released: 0 });
      expect([at, (await rest(journal)).length]).toEqual([at, ends.filter((end) => end <= at).length]);
      await journal.close();
    }
  });

  it("goes on behind the last whole record, and what was torn never comes back", async () => {
    const { path, bytes, ends } = await written();
    truncateSync(path, (ends[1] ?? 0) + 3);
    const second = await open(path);
    await append(second, "four");
    await second.close();
    expect(await textsOf(await open(path))).toEqual(["one", "two, a little longer", "four"]);
    expect(bytes.length).toBeGreaterThan(0);
  });

  it("takes nothing from an earlier pass for the next record, wherever a pass ends", async () => {
    const { path } = await written();
    const old = readFileSync(path);
    for (let length = 0; length <= old.length; length += 1) {
      // What was there is released; a new pass writes over the beginning and dies.
      writeFileSync(path, old);
      const copy = `${path}.copy`;
      const journal = await openJournal({ path, released: 3 });
      await journal.append([Buffer.alloc(length, "x")]);
      copyFileSync(path, copy);
      await journal.close();
      const found = await openJournal({ path: copy, released: 3 });
      expect((await rest(found)).map(({ sequence, content }) => [sequence, content.length])).toEqual([[4, length]]);
      await found.close();
    }
  });

  it("takes no bytes within a content for a record, whatever they are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 200 }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), async (before, guess) => {
        const path = place();
        // A sender who knows the format and all but the pass: the number that comes next, a right check, and the right place.
        const journal = await openJournal({ path, released: 0 });
        const { header } = nextRecord({ ...newPass(2), pass: guess }, [Buffer.from("forged")]);
        await journal.append([Buffer.alloc(before), header, Buffer.from("forged"), Buffer.alloc(100)]);
        const [whole] = await rest(journal);
        if (whole !== undefined) journal.release(whole);
        await journal.append([Buffer.alloc(before)]);
        copyFileSync(path, `${path}.copy`);
        await journal.close();
        expect(
          readFileSync(`${path}.copy`)
            .subarray(headerSize + before + headerSize)
            .toString(),
        ).toContain("forged");
        expect((await rest(await open(`${path}.copy`))).map(({ sequence }) => sequence)).toEqual([2]);
      }),
      { numRuns: 20 },
    );
  });
});

const isSandboxed = (await probeSandbox()).works;

(isSandboxed ? describe : describe.skip)("a journal on a disk that is full", () => {
  it("refuses what does not fit, keeps what did, and goes on when there is room", async () => {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-full-"));
    folders.push(folder);
    const source = `
      import { openJournal } from ${JSON.stringify(new URL("../../src/database/journal/journal.ts", import.meta.url))};
      import { rmSync, writeFileSync } from "node:fs";
      const folder = ${JSON.stringify(folder)};
      writeFileSync(folder + "/ballast", Buffer.alloc(1_000_000));
      const open = () => openJournal({ path: folder + "/journal", released: 0 });
      const outcomes = [];
      const append = (journal, name, bytes) =>
        journal.append([Buffer.from(name), Buffer.alloc(bytes, "x")]).then(() => outcomes.push(name), (error) => outcomes.push(name + " " + error.code));
      const first = await open();
      await append(first, "before", 300_000);
      await Promise.all([append(first, "never", 100_000), append(first, "whole", 100_000), append(first, "large", 900_000)]);
      // It takes the place of "never", and the whole record that was left behind that is not what comes next.
      await append(first, "small", 100_000);
      await first.close();
      rmSync(folder + "/ballast");
      const second = await open();
      await append(second, "after", 900_000);
      const found = [];
      for (let entries = await second.read(); entries.length > 0; entries = await second.read())
        found.push(...entries.map(({ content }) => content.toString().replace(/x+$/, "")));
      console.log(JSON.stringify({ outcomes, found }));`;
    const room = ["--dev-bind", "/", "/", "--size", String(2 * 1024 * 1024), "--tmpfs", folder];
    const node = [process.execPath, "--disable-warning=ExperimentalWarning", "--input-type=module", "-e", source];
    const child = spawn("bwrap", [...room, "--", ...node], { stdio: ["ignore", "pipe", "inherit"] });
    expect(JSON.parse((await child.stdout.toArray()).join(""))).toEqual({
      outcomes: ["before", "never ENOSPC", "whole ENOSPC", "large ENOSPC", "small", "after"],
      found: ["before", "small", "after"],
    });
  });
});
