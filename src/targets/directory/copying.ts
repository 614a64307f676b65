import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { answerWith } from "../release/thread.ts";
import type { Tree } from "../release/tree.ts";
import type { Copied, CopyOrder } from "./copy.ts";

const chunk = 65_536;
const [one, other] = [Buffer.allocUnsafe(chunk), Buffer.allocUnsafe(chunk)];

/** The thread of `copyTree`. Each path leads through an open folder and is followed by one name, so that no link on the way is followed. */
answerWith(({ tree, into, last }: CopyOrder): Copied => {
  const taken = { files: 0, bytes: 0, linked: 0 };
  copyFolder(tree, into, last, taken);
  return taken;
});

function copyFolder(
  tree: Tree,
  into: string,
  last: string | null,
  taken: { -readonly [Key in keyof Copied]: Copied[Key] },
): void {
  for (const { name, mode, size } of tree.files) {
    const wanted = mode & 0o100 ? 0o755 : 0o644;
    const [source, copy] = [`${tree.path}/${name}`, `${into}/${name}`];
    if (last !== null && isLinked(source, `${last}/${name}`, copy, { size, mode: wanted })) {
      taken.linked += 1;
      continue;
    }
    // EXCL: a link that is already there is not followed. Where the file system can, the copy shares its blocks with the original.
    copyFileSync(source, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    if ((mode & 0o7777) !== wanted) changeMode(copy, wanted);
    taken.files += 1;
    taken.bytes += size;
  }
  for (const { name, target } of tree.links) symlinkSync(target, `${into}/${name}`);
  for (const { name, tree: inner } of tree.folders) {
    mkdirSync(`${into}/${name}`);
    inFolder(`${into}/${name}`, (folder, descriptor) => {
      fchmodSync(descriptor, 0o755);
      inFolderOrNot(last === null ? null : `${last}/${name}`, (lastFolder) => copyFolder(inner, folder, lastFolder, taken));
    });
  }
}

/** Links to a file of the last release when it is what we would copy; false, and nothing is there, when it is not or cannot be. */
function isLinked(source: string, old: string, copy: string, wanted: { readonly size: number; readonly mode: number }): boolean {
  // NONBLOCK: a named pipe in its place would have us wait for ever.
  const oldFile = openOrNull(old, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if (oldFile === null) return false;
  try {
    const { size, mode, uid, ino, dev } = fstatSync(oldFile);
    const isOurs = uid === process.getuid?.() && (mode & 0o177777) === (constants.S_IFREG | wanted.mode);
    if (!isOurs || size !== wanted.size || !isSameContent(source, oldFile)) return false;
    try {
      linkSync(old, copy);
    } catch {
      // Another file system, one without such links, or too many of them: then there is a copy.
      return false;
    }
    const linked = lstatSync(copy);
    if (linked.ino === ino && linked.dev === dev) return true;
    // Somebody put another file in its place since it was opened.
    unlinkSync(copy);
    return false;
  } finally {
    closeSync(oldFile);
  }
}

function isSameContent(source: string, oldFile: number): boolean {
  const file = openSync(source, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (;;) {
      const length = readSync(file, one, 0, chunk, null);
      if (length !== readSync(oldFile, other, 0, chunk, null)) return false;
      if (length === 0) return true;
      if (one.compare(other, 0, length, 0, length) !== 0) return false;
    }
  } finally {
    closeSync(file);
  }
}

function inFolder(path: string, work: (folder: string, descriptor: number) => void): void {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    work(`/proc/self/fd/${descriptor}`, descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function inFolderOrNot(path: string | null, work: (folder: string | null) => void): void {
  const descriptor = path === null ? null : openOrNull(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    work(descriptor === null ? null : `/proc/self/fd/${descriptor}`);
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

function openOrNull(path: string, flags: number): number | null {
  try {
    return openSync(path, flags);
  } catch {
    return null;
  }
}

/** `chmod` itself would follow a link. */
function changeMode(path: string, mode: number): void {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    fchmodSync(file, mode);
  } finally {
    closeSync(file);
  }
}
