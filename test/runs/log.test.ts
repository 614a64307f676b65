import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Database } from "../../src/database/connection.ts";
import { createOutputReader, usualMaskBudget } from "../../src/runners/local/output-reader.ts";
import { annotationsOf } from "../../src/runs/annotations.ts";
import { lineCount, openLog, readLines } from "../../src/runs/log.ts";
import { engines } from "../support/engines.ts";
import { until } from "../support/until.ts";

const longest = 16 * 1024;
const plenty = 64 * 1024 * 1024;

describe.each(engines())("the log of a run on %s", (_name, storage) => {
  let runs = 0;
  const open = async (limit = plenty) => {
    const database = await storage.open();
    return { database, ...openIn(database, limit) };
  };
  const openIn = (database: Database, limit = plenty) => {
    runs += 1;
    const run = runs;
    const writer = openLog(database, { run, attempt: 1, limit });
    return {
      run,
      writer,
      write: (output: string | Uint8Array) => writer.write(Buffer.from(output)),
      read: (from = 1, to = 1_000_000) => database.read((db) => readLines(db, { run, attempt: 1, from, to })),
      count: () => database.read((db) => lineCount(db, run, 1)),
      chunks: async () =>
        (await database.read((db) => db.selectFrom("log_chunk").select("seq").where("run", "=", run).execute())).length,
    };
  };

  it.each([
    ["nothing", [], []],
    ["a line", ["hello\n"], ["hello"]],
    ["a line in pieces", ["he", "l", "", "lo\nwor", "ld\n"], ["hello", "world"]],
    ["an end that has no line end", ["hello\nworld"], ["hello", "world"]],
    ["empty lines", ["\n\na\n\n"], ["", "", "a", ""]],
    ["Windows' line ends", ["a\r\nb\r\n"], ["a", "b"]],
    ["Windows' line ends in pieces", ["a\r", "\nb\r", "\n"], ["a", "b"]],
    ["a progress bar, which overwrites its line", ["10 %\r50 %\r", "100 %\r\n"], ["10 %\r50 %\r100 %"]],
    ["escapes and the first character of all", ["\u001b[31mred\u001b[0m\0\n"], ["\u001b[31mred\u001b[0m\0"]],
  ])("keeps %s", async (_what, writes, lines) => {
    const { write, writer, read, count } = await open();
    for (const text of writes) await write(text);
    await writer.close();
    expect(await read()).toMatchObject({ lines, first: 1 });
    expect(await count()).toBe(lines.length);
  });

  it("gives back what tools said of lines of the repository, and nothing that only looks like it", async () => {
    const { database, run, write, writer } = await open();
    const reader = createOutputReader(() => {}, usualMaskBudget());
    const said = [
      "::error file=src/cart.ts,line=12,col=5,title=Wrong%3A type::Expected 2",
      "::warning file=/workspace/app/(shop)/page.tsx,line=3::one%0Atwo",
      "::notice file=./README,line=0::Hello",
      "::error::It failed (see the manual)",
      "::error file=../../etc/passwd,line=1::Out of the tree",
      "::error file=/etc/passwd,line=1::Out of the tree",
      "::error file=whole.ts::No line",
      "Error: plain text (src/cart.ts:12)",
    ];
    await write(reader.take(Buffer.from(`${said.join("\n")}\n`)));
    await writer.close();
    const annotations = await annotationsOf(database, { run, attempt: 1 }, 10);
    expect(annotations).toEqual([
      { level: "error", message: "Wrong: type: Expected 2", file: "src/cart.ts", line: 12 },
      { level: "warning", message: "one\ntwo", file: "app/(shop)/page.tsx", line: 3 },
      { level: "notice", message: "Hello", file: "README", line: 1 },
    ]);
    expect(await annotationsOf(database, { run, attempt: 1 }, 1)).toEqual(annotations.slice(0, 1));
  });

  it("puts characters together that come in pieces", async () => {
    const { write, writer, read } = await open();
    for (const byte of Buffer.from("Grüße, 船, 👩‍👩‍👧\n")) await write(Uint8Array.of(byte));
    await writer.close();
    expect((await read()).lines).toEqual(["Grüße, 船, 👩‍👩‍👧"]);
  });

  it("shows bytes that are no UTF-8 as U+FFFD, also when they come last", async () => {
    const { write, writer, read } = await open();
    await write(Uint8Array.of(0x61, 0xff, 0x0a, 0xe8, 0x88));
    await writer.close();
    expect((await read()).lines).toEqual(["a\ufffd", "\ufffd"]);
  });

  it.each([
    ["as long as one may be", "x".repeat(longest), [longest]],
    ["one longer", "x".repeat(longest + 1), [longest, 1]],
    ["three times as long", "x".repeat(longest * 3), [longest, longest, longest]],
    ["of characters that are two halves", `x${"👩".repeat(longest)}`, [longest - 1, longest, 2]],
  ])("breaks a line that is %s, however it is written", async (_what, line, lengths) => {
    const database = await storage.open();
    for (const [end, size] of [
      ["\n", line.length],
      ["\r\n", line.length],
      ["\n", 1_000],
      ["\r\n", 1_000],
      ["\r\n", longest],
      ["\r\n", longest + 1],
      ["", longest + 1],
    ] as const) {
      const { write, writer, read } = openIn(database);
      const bytes = Buffer.from(`${line}${end}`);
      for (let from = 0; from < bytes.length; from += size) await write(bytes.subarray(from, from + size));
      await writer.close();
      const { lines } = await read();
      expect(lines.join("")).toBe(line);
      expect(lines.map((part) => part.length)).toEqual(lengths);
    }
  });

  it("numbers the next line, and ends an unfinished one where a step begins", async () => {
    const { write, writer, read } = await open();
    expect(writer.endLine()).toBe(1);
    await write("one\ntwo");
    expect(writer.endLine()).toBe(3);
    expect(writer.endLine()).toBe(3);
    await write("three\n");
    expect(writer.endLine()).toBe(4);
    await writer.close();
    expect((await read()).lines).toEqual(["one", "two", "three"]);
  });

  it("keeps the beginning and the end of what does not fit, and says how much is missing between them", async () => {
    const { write, writer, read } = await open(12);
    await write("one\ntwo\n");
    await write("too long for it\nok\n");
    await write("end");
    await writer.close();
    expect((await read()).lines).toEqual([
      "one",
      "two",
      "… the log is full: of what follows only the end is kept, and shown when the run has ended",
      "… 2 lines (0.0 MB) are missing here: the log reached MAX_LOG_SIZE",
      "end",
    ]);
  });

  it("counts what it keeps in bytes, line ends included", async () => {
    const { write, writer, read } = await open(8);
    await write("äöü\nx\n");
    await writer.close();
    const { lines } = await read();
    expect(lines.slice(1)).toEqual(["… 1 lines (0.0 MB) are missing here: the log reached MAX_LOG_SIZE", "x"]);
  });

  it("says nothing about its size when everything fits exactly", async () => {
    const { write, writer, read } = await open(8);
    await write("one\ntwo\n");
    await writer.close();
    expect((await read()).lines).toEqual(["one", "two"]);
  });

  it("keeps attempts and runs apart", async () => {
    const database = await storage.open();
    for (const [run, attempt] of [
      [1, 1],
      [1, 2],
      [2, 1],
    ] as const) {
      const writer = openLog(database, { run, attempt, limit: plenty });
      await writer.write(Buffer.from(`${run}/${attempt}\n`));
      await writer.close();
    }
    const read = (run: number, attempt: number) => database.read((db) => readLines(db, { run, attempt, from: 1, to: 9 }));
    expect([await read(1, 1), await read(1, 2), await read(2, 1)].flatMap(({ lines }) => lines)).toEqual(["1/1", "1/2", "2/1"]);
    expect(await read(3, 1)).toMatchObject({ lines: [], first: 1 });
    expect(await database.read((db) => lineCount(db, 3, 1))).toBe(0);
  });

  it("is read while it is written, without a line twice or a hole", async () => {
    const { database, run, write, writer } = await open();
    const seen: string[] = [];
    let isOver = false;
    const reading = (async () => {
      for (;;) {
        const last = isOver;
        const { lines, first } = await database.read((db) =>
          readLines(db, { run, attempt: 1, from: seen.length + 1, to: seen.length + 500 }),
        );
        expect(first).toBe(seen.length + 1);
        seen.push(...lines);
        if (last && lines.length === 0) return;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const text = Array.from({ length: 3_000 }, (_, n) => `line ${n} ${"x".repeat(n % 200)}`);
    for (let from = 0; from < text.length; from += 100) await write(`${text.slice(from, from + 100).join("\n")}\n`);
    await writer.close();
    isOver = true;
    await reading;
    expect(seen).toEqual(text);
  });

  it("keeps a burst of 1,000 lines in one chunk, and a slow line soon without waiting for more", async () => {
    const { write, writer, read, chunks, database, run } = await open();
    let rings = 0;
    database.wake.on(`log:${run}`, () => {
      rings += 1;
    });
    await write(Array.from({ length: 1_000 }, (_, n) => `${n}\n`).join(""));
    await until("the burst is kept", async () => (await chunks()) === 1);
    await until("those who watch are woken", () => rings === 1);
    expect((await read()).lines).toHaveLength(1_000);
    await write("slow\n");
    await until("the slow line is kept", async () => (await read(1_001)).lines[0] === "slow");
    await writer.close();
    expect(await chunks()).toBe(2);
  });

  it("does not let the memory fill: what is written is kept before the next write", async () => {
    const { write, writer, count } = await open();
    await write("x\n".repeat(40 * 1024));
    expect(await count()).toBe(40 * 1024);
    await writer.close();
  });

  it("tells its writer when the database does not take it", async () => {
    const { write, writer, database } = await open();
    await write("a\n");
    await database.close();
    await expect(write("x\n".repeat(40 * 1024))).rejects.toThrow("The database is closed");
    await expect(writer.close()).rejects.toThrow("The database is closed");
  });

  describe("any output", () => {
    const line = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "é", "船", "👩", " ", "\r", "\u001b[1m"), maxLength: 30 }),
      fc.integer({ min: 1, max: longest }).map((length) => "é👩船".repeat(length / 2)),
    );
    const output = fc.record({
      lines: fc.array(line, { minLength: 5, maxLength: 30 }),
      end: fc.constantFrom("\n", "\r\n"),
      cuts: fc.array(fc.nat({ max: 40_000 }), { maxLength: 20 }),
      ranges: fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 60 })), {
        minLength: 5,
        maxLength: 9,
      }),
    });

    /** Surely of several chunks, each of which is kept by itself. */
    const large = {
      lines: Array.from({ length: 30 }, () => "é👩船".repeat(longest / 2)),
      end: "\n" as const,
      cuts: Array.from({ length: 20 }, () => 30_000),
      ranges: [[1, 60]] as [number, number][],
    };

    it("is the same lines, in whatever pieces it came, and every range is a slice of them", async () => {
      const database = await storage.open();
      let mostChunks = 0;
      await fc.assert(
        fc.asyncProperty(output, async ({ lines, end, cuts, ranges }) => {
          const bytes = Buffer.from(lines.map((text) => `${text}${end}`).join(""));
          const whole = openIn(database);
          await whole.write(bytes);
          await whole.writer.close();
          const expected = (await whole.read()).lines;
          expect(expected.join("")).toBe(lines.map((text) => withoutLineEnd(`${text}${end}`)).join(""));

          const pieces = openIn(database);
          let from = 0;
          for (const cut of cuts) {
            await pieces.write(bytes.subarray(from, from + cut));
            from += cut;
          }
          await pieces.write(bytes.subarray(from));
          await pieces.writer.close();
          expect(await pieces.count()).toBe(expected.length);
          for (const [first, length] of [[1, expected.length] as const, ...ranges]) {
            const read = await pieces.read(first, first + length - 1);
            expect(read.lines).toEqual(expected.slice(first - 1, first - 1 + length));
          }
          mostChunks = Math.max(mostChunks, await pieces.chunks());
        }),
        { numRuns: storage.engine === "sqlite" ? 60 : 25, examples: [[large]] },
      );
      expect(mostChunks).toBeGreaterThan(2);
    }, 60_000);

    /** A line end is "\n" or "\r\n". */
    function withoutLineEnd(text: string): string {
      return text.replace(/\r?\n$/, "");
    }
  });
});
