import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Entry } from "../../src/targets/release/entries.ts";
import { tarOf, tarSize } from "../../src/targets/release/tar.ts";
import { sshArguments } from "../../src/targets/ssh/access.ts";
import { destinationOf, destinationText } from "../../src/targets/ssh/destination.ts";
import { changesFrom, pack, unpack } from "../../src/targets/ssh/manifest.ts";
import { type Mark, OutputReader } from "../../src/targets/ssh/output.ts";
import { explainedEnd } from "../../src/targets/ssh/problems.ts";
import { quote } from "../../src/targets/ssh/quote.ts";
import { Disconnected } from "../../src/targets/ssh/session.ts";

const folder = mkdtempSync(join(tmpdir(), "signalbox-words-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom("'", '"', "\\", "$", "`", "\n", "!", "*", "~", "-", " ", "a", "(", "&", "é"),
    maxLength: 60,
  }),
);

describe("a word for the remote shell", () => {
  it("is read by a real one as it was, whatever it holds", () => {
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 1, maxLength: 20 }), (texts) => {
        const words = texts.map((text) => text.replaceAll("\0", "").toWellFormed());
        const input = `printf '%s\\0' ${words.map(quote).join(" ")}\n`;
        expect(execFileSync("/bin/sh", { input }).toString("utf8")).toBe(words.map((word) => `${word}\0`).join(""));
      }),
      { numRuns: 200 },
    );
  });

  it("cannot hold a NUL", () => {
    expect(() => quote("a\0b")).toThrow("NUL");
  });
});

describe("a server", () => {
  it.each([
    ["web.example.com", { user: null, host: "web.example.com", port: 22 }],
    ["deploy@web", { user: "deploy", host: "web", port: 22 }],
    ["deploy@web:2222", { user: "deploy", host: "web", port: 2222 }],
    ["[2001:db8::1]:22", { user: null, host: "2001:db8::1", port: 22 }],
  ])("%s is understood", (name, meant) => {
    expect(destinationText.safeParse(name).success).toBe(true);
    expect(destinationOf(name)).toEqual({ name, ...meant });
  });

  it.each([
    "",
    "-oProxyCommand=x",
    "a@-b",
    "-a@b",
    "a b",
    "a@b@c",
    "web:0",
    "web:65536",
    "web:x",
    "[web]",
    "[::1",
    "a;b",
    "web\n",
    "$(x)",
  ])("%j is refused", (name) => {
    expect(destinationText.safeParse(name).success).toBe(false);
  });

  it("is reached with strict host keys and nothing of the server's own settings", () => {
    const args = sshArguments(destinationOf("deploy@web:2222"), { key: "/a b/50%/key", knownHosts: "/a b/known" });

    expect(args.slice(0, 2)).toEqual(["-F", "none"]);
    for (const option of [
      "BatchMode=yes",
      "StrictHostKeyChecking=yes",
      "IdentitiesOnly=yes",
      "ForwardAgent=no",
      "ConnectTimeout=10",
    ])
      expect(args).toContain(option);
    expect(args).toContain('UserKnownHostsFile="/a b/known"');
    expect(args).toContain('IdentityFile="/a b/50%%/key"');
    expect(args.slice(-7)).toEqual(["-p", "2222", "-l", "deploy", "--", "web", "exec /bin/sh"]);
  });
});

describe("what ssh says at its end", () => {
  it.each([
    "ssh: connect to host 127.0.0.1 port 22: Connection refused",
    "kex_exchange_identification: read: Connection reset by peer",
    "banner exchange: Connection to 127.0.0.1 port 22: Broken pipe",
  ])("%s means that the server cannot be reached", async (said) => {
    const problem = await explainedEnd(new Disconnected(said), destinationOf("web"), "KEY", {});
    expect(problem).toMatchObject({ retryable: true, message: `web cannot be reached: ${said}` });
  });
});

describe("what a remote shell says", () => {
  it("is told from marks, wherever the pieces are cut", () => {
    const part = fc.oneof(
      fc.constantFrom("\n", "\nTOKEN", "\nTOKE", "TOKEN ", "\n\n", "x"),
      fc.constantFrom("done", "ended").map((word): Mark => ({ word, status: 3 })),
    );
    fc.assert(
      fc.property(fc.array(part), fc.array(fc.nat(20)), (parts, cuts) => {
        const said = parts.map((piece) => (typeof piece === "string" ? piece : `\nTOKEN ${piece.word} ${piece.status}\n`));
        // A mark needs a word of its own after it: what looks like one by chance is not in the game.
        fc.pre(!said.join("").includes("TOKEN \n") && !/TOKEN (?!done 3\n|ended 3\n)/.test(said.join("")));
        const bytes = Buffer.from(`${said.join("")}the end`);
        const whole = read([bytes]);
        const pieces: Buffer[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          pieces.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        expect(read(pieces)).toEqual(whole);
        expect(whole.marks).toHaveLength(parts.filter((piece) => typeof piece !== "string").length);
      }),
      { numRuns: 2_000 },
    );
  });

  function read(pieces: readonly Buffer[]): { text: string; marks: readonly Mark[] } {
    const reader = new OutputReader("TOKEN");
    const found = pieces.flatMap((piece) => [...reader.read(piece)]);
    const text = found.map((one) => (one instanceof Uint8Array ? one.toString("utf8") : "|")).join("");
    return { text, marks: found.filter((one): one is Mark => !(one instanceof Uint8Array)) };
  }
});

describe("what is sent", () => {
  const file = (path: string): Entry => ({ kind: "file", path, source: `/${path}`, size: 1, executable: false });

  it("is what turns the last release into the new one", () => {
    const last = new Map([
      ["a", "-1"],
      ["d", "d"],
      ["d/x", "-2"],
      ["d/y", "-3"],
      ["e", "d"],
      ["e/z", "-4"],
      ["edited", "-5"],
    ]);
    const now = new Map([
      ["a", "-1"],
      ["d", "d"],
      ["d/x", "-9"],
      ["e", "-4"],
      ["new", "-6"],
      ["edited", "-5"],
    ]);
    const entries: readonly Entry[] = [
      file("a"),
      { kind: "folder", path: "d" },
      file("d/x"),
      file("e"),
      file("new"),
      file("edited"),
    ];

    const changes = changesFrom(last, new Set(["edited", "by-hand"]), now, entries);

    expect([...changes.gone].sort()).toEqual(["by-hand", "d/x", "d/y", "e", "edited"]);
    expect(changes.sent.map(({ path }) => path)).toEqual(["d/x", "e", "new", "edited"]);
  });

  it("is compared with a list that comes back as it was, and one that leads elsewhere is none", async () => {
    const manifest = new Map([
      ["a/b", "-1"],
      ["ü\n", "lx"],
    ]);
    expect(await unpack(await pack(manifest))).toEqual(manifest);
    for (const path of ["../x", "/x", "a//b", "a/..", ""]) expect(await unpack(await pack(new Map([[path, "-1"]])))).toBeNull();
    expect(await unpack(Buffer.from("nonsense"))).toBeNull();
  });

  it("is an archive that tar reads, as long as was said before", async () => {
    const source = join(folder, "source");
    writeFileSync(source, "x".repeat(200_000));
    const long = `${"folder/".repeat(30)}${"ü".repeat(100)}`;
    const entries = [
      { kind: "folder", path: "empty" },
      { kind: "file", path: long, source, size: 200_000, executable: true },
      { kind: "link", path: "link", target: `../${"t".repeat(150)}` },
      { kind: "bytes", path: "bytes", bytes: Buffer.from("some") },
    ] as const;
    const pieces: Uint8Array[] = [];
    for await (const piece of tarOf(entries)) pieces.push(piece);
    const archive = Buffer.concat(pieces);

    expect(archive.length).toBe(tarSize(entries));
    const listed = execFileSync("tar", ["--quoting-style=literal", "-tvf", "-"], {
      input: archive,
      env: { ...process.env, LC_ALL: "C.UTF-8" },
    }).toString();
    expect(listed).toMatch(/^drwxr-xr-x .* empty\/$/m);
    expect(listed).toMatch(new RegExp(`^-rwxr-xr-x .* 200000 .* ${long}$`, "m"));
    expect(listed).toMatch(new RegExp(`^lrw.* link -> ../${"t".repeat(150)}$`, "m"));
    expect(execFileSync("tar", ["-xOf", "-", "bytes"], { input: archive }).toString()).toBe("some");
  });
});
