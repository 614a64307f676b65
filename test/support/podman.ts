import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findImageEngine } from "../../src/process/image-engine.ts";
import { probeSandbox } from "../../src/process/sandbox.ts";

const shell = ["/bin/busybox", "/usr/bin/busybox"].find(existsSync);

/** Whether this machine can make images and run commands in them. */
export const canUseImages =
  shell !== undefined && (await probeSandbox()).works && (await findImageEngine("signalbox-test"))?.kind === "podman";

/** What a test says that was skipped. */
export const imagesSkipped = canUseImages ? "" : " (skipped: needs bubblewrap, podman and busybox-static)";

/** Runs podman, and says what it said. */
export function podman(...args: readonly string[]): string {
  return execFileSync("podman", args, { encoding: "utf8", stdio: "pipe" }).trim();
}

/** Fills a folder with the files of a small system: a shell, its tools and a user. */
export async function makeSmallSystem(root: string): Promise<void> {
  for (const path of ["bin", "etc", "opt", "var/lib/other", "root"]) await mkdir(join(root, path), { recursive: true });
  await copyFile(shell ?? "", join(root, "bin/busybox"));
  for (const tool of "sh ls cat id env echo touch stat ps".split(" ")) await symlink("busybox", join(root, "bin", tool));
  await writeFile(join(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
  await writeFile(join(root, "opt/tool"), "#!/bin/sh\necho the tool of the image\n", { mode: 0o755 });
  await writeFile(join(root, "var/lib/other/file"), "of the image");
}

/** Makes an image of a folder's files. */
export function importImage(root: string, name: string, variables: readonly string[] = []): void {
  const archive = `${root}.tar`;
  execFileSync("tar", ["-C", root, "-cf", archive, "."]);
  podman("import", ...variables.flatMap((one) => ["--change", `ENV ${one}`]), archive, name);
}
