import { describe, expect, it } from "@jest/globals";
import { destinationOf } from "../../src/targets/directory/plan.ts";
import { releaseName, releasesToRemove } from "../../src/targets/release/names.ts";
import { staysInside } from "../../src/targets/release/paths.ts";

const order = { repository: { owner: "acme", name: "shop" }, allowedPaths: ["/data/sites/acme/shop", "/srv/shop"] } as const;

describe("the destination", () => {
  it.each([
    ["web", "/data/sites/acme/shop/web"],
    ["a/../web", "/data/sites/acme/shop/web"],
    [".", "/data/sites/acme/shop"],
    ["..dots", "/data/sites/acme/shop/..dots"],
    ["/srv/shop", "/srv/shop"],
    ["/srv/shop/web/", "/srv/shop/web"],
  ])("%s is %s", (path, destination) => {
    expect(destinationOf(path, order)).toBe(destination);
  });

  it.each(["../../etc", "/etc", "/srv/shopping", "/srv/shop/../etc", "..", "", " ", "a\0b"])(
    "%j is refused, and told what is allowed",
    (path) => {
      expect(() => destinationOf(path, order)).toThrow(
        /path.*; acme\/shop may have a path relative to its own folder sites\/acme\/shop, or an absolute one below \/srv\/shop/,
      );
    },
  );
});

describe("a link in a release", () => {
  it.each([
    ["link", "file"],
    ["link", "./a/b"],
    ["a/link", "../file"],
    ["a/b/link", "../../c/file"],
    ["a/link", ".."],
  ])("%s to %s stays inside", (link, target) => {
    expect(staysInside(link, target)).toBe(true);
  });

  it.each([
    ["link", "/etc/passwd"],
    ["link", ".."],
    ["a/link", "../../file"],
    // Back in by the name of the release, as long as it has that name.
    ["link", "../release/file"],
    // Out of the release when `a` is a link to a folder higher up.
    ["a/b/link", "../a/../../file"],
    ["link", "a/../file"],
  ])("%s to %s does not", (link, target) => {
    expect(staysInside(link, target)).toBe(false);
  });
});

describe("releases", () => {
  const now = new Date("2026-11-22T14:05:01.999Z");
  const sha = "4be07d1f00000000000000000000000000000000";

  it("are called by the time and the commit", () => {
    expect(releaseName(sha, now, [])).toBe("20261122T140501Z-4be07d1");
  });

  it("are numbered within a second, whatever the commit", () => {
    expect(releaseName(sha, now, ["20261122T140501Z-0000000"])).toBe("20261122T140501Z-4be07d1.2");
    expect(releaseName(sha, now, ["20261122T140501Z-0000000", "20261122T140501Z-4be07d1.9"])).toBe("20261122T140501Z-4be07d1.10");
  });

  it("are kept from the newest on, with the current one and everything that is not called like a release", () => {
    const names = [
      "20261122T140501Z-4be07d1.10",
      "20261122T140501Z-4be07d1.9",
      "20261122T140501Z-4be07d1",
      "20261122T140500Z-4be07d1",
      "20261121T000000Z-4be07d1",
      "by-hand",
      ".part-20261122T140500Z-4be07d1",
    ];

    expect(releasesToRemove(names, "20261121T000000Z-4be07d1", 3)).toEqual([
      "20261122T140501Z-4be07d1",
      "20261122T140500Z-4be07d1",
    ]);
    expect(releasesToRemove(names, "20261122T140501Z-4be07d1", 1)).not.toContain("20261122T140501Z-4be07d1");
    expect(releasesToRemove(names, "new", 100)).toEqual([]);
  });
});
