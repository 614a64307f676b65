import { isAbsolute, relative, resolve } from "node:path";

/** Whether an absolute path is a folder or something in it; tells nothing about links. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way.split("/")[0] !== ".." && !isAbsolute(way));
}

/** Whether a relative path leads to the folder it starts from or to something in it, wherever that is; tells nothing about links. */
export function staysWithin(path: string): boolean {
  return !isAbsolute(path) && isWithin("/from", resolve("/from", path));
}

/**
 * Whether a symbolic link, given by its path in the release, stays in it. Only targets that go up first and then down can be told without
 * following what they pass: `a/../b` leads elsewhere when `a` is a link itself.
 */
export function staysInside(link: string, target: string): boolean {
  const parts = target.split("/").filter((part) => part !== "." && part !== "");
  const up = parts.filter((part) => part === "..").length;
  const upFirst = parts.slice(0, up).every((part) => part === "..");
  return !isAbsolute(target) && upFirst && up < link.split("/").length;
}
