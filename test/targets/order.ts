import { join } from "node:path";
import { guardedFetch } from "../../src/outbound/fetch.ts";
import { aloneIn } from "../../src/targets/lock.ts";
import type { DeployOrder } from "../../src/targets/target.ts";

export const sha = "4be07d1f05f5ce03dbbb7bcf72e68ab3a567f7ca";

/** A deployment of acme/shop to production, from a folder of the test's own; it may reach 127.0.0.1. `more` says what is special about it. */
export function orderIn(root: string, more: Pick<DeployOrder, "workspace"> & Partial<DeployOrder>): DeployOrder {
  const environment = more.environment ?? "production";
  const allowedPaths = more.allowedPaths ?? ([join(root, "sites")] as const);
  const nobodyCalls = () => Promise.reject(new Error("This target needs no callback"));
  return {
    sha,
    environment,
    repository: { owner: "acme", name: "shop", cloneUrl: "https://github.com/acme/shop.git" },
    ref: "main",
    run: "https://ci.acme.example/acme/shop/runs/7",
    previous: null,
    readable: [],
    path: [],
    sandbox: { kind: "none" },
    mark: {},
    env: {},
    allowedPaths,
    knownHosts: join(root, "known_hosts"),
    secret: async () => null,
    fetch: (url, init = {}) => guardedFetch(url, init, { allow: [{ host: "127.0.0.1", port: null }] }),
    callbacks: { open: nobodyCalls, arrived: nobodyCalls },
    conceal: () => {},
    alone: aloneIn(allowedPaths[0], environment),
    ...more,
  };
}
