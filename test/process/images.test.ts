import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { findImageEngine } from "../../src/process/image-engine.ts";
import { type EnteredImage, type Images, openImages } from "../../src/process/images.ts";
import { makeScratch, probeSandbox, sandboxed } from "../../src/process/sandbox.ts";
import { spawnCommand } from "../../src/process/spawn.ts";
import { canUseImages, imagesSkipped, importImage, makeSmallSystem, podman } from "../support/podman.ts";

const probe = await probeSandbox();
const mark = randomUUID();
const never = new AbortController().signal;

(canUseImages ? describe : describe.skip)(`an image of containers${imagesSkipped}`, () => {
  const name = `localhost/signalbox-test-${mark}:1`;
  const hostile = `localhost/signalbox-test-${mark}:hostile`;
  let made: string;
  let outside: string;
  let folder: string;
  let asked: string[];
  let images: Images;

  beforeAll(async () => {
    made = await mkdtemp(join(tmpdir(), "signalbox-image-"));
    outside = await mkdtemp(join(tmpdir(), "signalbox-outside-"));
    const root = join(made, "root");
    await makeSmallSystem(root);
    await chmod(join(root, "bin/busybox"), 0o4755);
    importImage(root, name, ["PATH=/opt:/bin", "GREETING=hello", "HOME=/root"]);
    // What is in the way of ours leads out of the image; bubblewrap keeps the machine's files at /oldroot while it works.
    await symlink(`/oldroot${outside}`, join(root, "workspace"));
    await symlink(`/oldroot${outside}`, join(root, "tmp"));
    await symlink(`/oldroot${outside}/resolv.conf`, join(root, "etc/resolv.conf"));
    await rm(join(root, "var"), { recursive: true });
    await symlink(`/oldroot${outside}`, join(root, "var"));
    importImage(root, hostile);
  });
  afterAll(async () => {
    podman("rmi", "--force", name, hostile);
    for (const path of [made, outside]) await rm(path, { recursive: true, force: true });
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "signalbox-images-"));
    asked = [];
    images = open();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = () => {
    if (!probe.works) throw new Error(probe.problem);
    return openImages({
      findEngine: () => findImageEngine(mark),
      sandbox: probe.sandbox,
      folder: join(folder, "images"),
      mark: {},
      mayPull: async (registry) => void asked.push(registry),
    });
  };

  async function run(root: EnteredImage, script: string, network = false, readable: readonly string[] = []): Promise<string> {
    if (!probe.works) throw new Error(probe.problem);
    const [workspace, scratch] = [join(folder, "workspace"), join(folder, "scratch")];
    await mkdir(workspace, { recursive: true });
    await makeScratch(scratch);
    let output = "";
    const write = async (piece: Uint8Array) => {
      output += Buffer.from(piece);
    };
    const cell = { workspace, scratch, root, readable, writable: [], network, env: { CI: "true" }, path: [] };
    await spawnCommand(sandboxed(probe.sandbox, cell, ["/bin/sh", "-c", script]), { write, stop: never });
    return output.trim();
  }

  it("is what a command sees in place of the machine, with the workspace and the author's variables", async () => {
    const image = await images.enter(name, never);
    expect(image.pinned).toMatch(/^localhost\/signalbox-test-[0-9a-f-]+@sha256:[0-9a-f]{64}$/);
    expect(await run(image, "tool; echo $GREETING $CI; cd; pwd; id -un; ls /")).toBe(
      "the tool of the image\nhello true\n/tmp/scratch/home\nroot\nbin\ndev\netc\nopt\nproc\nroot\nrun\ntmp\nvar\nworkspace",
    );
    expect(await run(image, "ls -A /usr /etc/ssl /home 2>&1")).not.toMatch(/^[^:]*$/m);
    expect(await run(image, "touch new && ls")).toBe("new");
  });

  it("shares a folder with what is bound into it at the machine's path", async () => {
    const bound = await mkdtemp("/var/lib/signalbox-test-");
    try {
      await writeFile(join(bound, "objects"), "of the machine");
      const image = await images.enter(name, never);
      expect(await run(image, `cat /var/lib/other/file ${bound}/objects; ls /var/lib`, false, [bound])).toBe(
        `of the imageof the machineother\n${bound.slice("/var/lib/".length)}`,
      );
    } finally {
      await rm(bound, { recursive: true });
    }
  });

  it("cannot be changed, gives nobody a power, and has the sandbox's own devices and processes", async () => {
    const image = await images.enter(name, never);
    const tried = await run(
      image,
      "touch /bin/x /etc/x /opt/tool /x 2>&1; stat -c %a /bin/busybox; cat /proc/self/status; ls /dev",
    );
    expect(tried.match(/Read-only file system|Permission denied/g)?.length).toBeGreaterThanOrEqual(3);
    expect(tried).toMatch(/^755$/m);
    expect(tried).toMatch(/^CapEff:\t0+$/m);
    expect(tried).toMatch(/^NoNewPrivs:\t1$/m);
    expect(tried).toContain("null");
    expect(await run(image, "ps | grep -c busybox")).not.toMatch(/\d\d/);
    expect((await lstat(join(image.folder, "bin/busybox"))).mode & 0o7000).toBe(0);
  });

  it("has no network but the check's", async () => {
    const image = await images.enter(name, never);
    expect(await run(image, "cat /proc/net/dev")).not.toMatch(/eth|tap/);
    expect(await run(image, "cat /etc/resolv.conf", true)).toContain("nameserver");
    expect(await run(image, "cat /etc/resolv.conf")).toContain("No such file");
  });

  it("cannot lead what is ours out of the sandbox by links in its place", async () => {
    const image = await images.enter(hostile, never);
    const bound = await mkdtemp("/var/lib/signalbox-test-");
    try {
      const output = await run(
        image,
        `touch here; ls /workspace; ls ${bound}; [ -L /workspace ] || [ -L /tmp ] || [ -L /var ] || echo ours`,
        true,
        [bound],
      );
      expect(output).toBe("here\nours");
    } finally {
      await rm(bound, { recursive: true });
    }
    expect(await readdir(outside)).toEqual([]);
  });

  it("is unpacked once, also when many want it at once, and leaves no container", async () => {
    const entered = await Promise.all([1, 2, 3, 4].map(() => images.enter(name, never)));
    expect(new Set(entered.map((image) => image.folder)).size).toBe(1);
    expect(await readdir(join(folder, "images"))).toHaveLength(1);
    expect(podman("ps", "--all", "--quiet", "--filter", `label=signalbox=${mark}`)).toBe("");
    expect(asked).toEqual([]);
  });

  it("that a dead server was unpacking leaves neither files nor a container", async () => {
    await mkdir(join(folder, "images", ".part-dead"), { recursive: true });
    podman("create", "--label", `signalbox=${mark}`, "--network", "none", name, "/bin/sh");
    const next = open();
    await next.clear();
    expect(await readdir(join(folder, "images"))).toEqual([]);
    (await next.enter(name, never)).leave();
    expect(podman("ps", "--all", "--quiet", "--filter", `label=signalbox=${mark}`)).toBe("");
  });

  it("leaves nothing when it is stopped", async () => {
    const stopping = new AbortController();
    const entering = images.enter(name, stopping.signal);
    stopping.abort("not wanted any more");
    await expect(entering).rejects.toBe("not wanted any more");
    expect(await readdir(join(folder, "images")).catch(() => [])).toEqual([]);
  });

  it("with a device of its own is refused", async () => {
    const device = `localhost/signalbox-test-${mark}:device`;
    const script = `import tarfile, sys
with tarfile.open(sys.argv[1], "w") as archive:
  node = tarfile.TarInfo("etc/disk"); node.type = tarfile.BLKTYPE; node.devmajor = 8; node.devminor = 0
  archive.addfile(node)`;
    execFileSync("python3", ["-c", script, join(made, "device.tar")]);
    podman("import", join(made, "device.tar"), device);
    try {
      await expect(images.enter(device, never)).rejects.toMatchObject({
        name: "ImageProblem",
        message: expect.stringMatching(/cannot be unpacked: tar: .*disk.*mknod/),
      });
    } finally {
      podman("rmi", "--force", device);
    }
  });

  it("that is not here is asked for at its registry, when that may be asked", async () => {
    const registry = createServer((_request, response) => response.writeHead(404).end("{}"));
    await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
    const address = registry.address();
    const host = `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    await expect(images.enter(`${host}/acme/ci:1`, never)).rejects.toMatchObject({
      name: "ImageProblem",
      message: expect.stringContaining(`podman cannot bring the image ${host}/acme/ci:1`),
    });
    expect(asked).toEqual([host]);
    registry.close();
    await expect(images.enter("localhost/nowhere:1", never)).rejects.toMatchObject({
      message: "the image localhost/nowhere:1 is not on this machine",
      fix: "Build it there with podman",
    });
  });
});

describe("without podman and docker", () => {
  it("an image is a problem of the operator's", async () => {
    expect(await findImageEngine(mark, "/nonexistent")).toBeNull();
    if (!probe.works) return;
    const { sandbox } = probe;
    const images = openImages({
      findEngine: async () => null,
      sandbox,
      folder: "/nonexistent",
      mark: {},
      mayPull: async () => {},
    });
    await expect(images.enter("docker.io/library/node:24", never)).rejects.toMatchObject({
      message: "this server cannot use the image docker.io/library/node:24: it finds neither podman nor docker",
      fix: "Install podman and start Signalbox again",
    });
  });
});
