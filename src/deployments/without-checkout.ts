import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DeployOrder } from "../targets/target.ts";
import { orderOf } from "./hand-over.ts";
import type { Work } from "./work.ts";

/** Lets a target work without a checkout; but what targets put beside one has a place. What a crash leaves of it is removed with the workspaces. */
export async function withoutCheckout<Result>(
  work: Work,
  holder: string,
  does: (order: DeployOrder) => Promise<Result>,
): Promise<Result> {
  const folder = join(work.means.settings.dataDir, "work", holder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    return await does(await orderOf(work, { workspace: join(folder, "workspace"), readable: [] }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
