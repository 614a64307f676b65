import { describe, it } from "@jest/globals";
import { calm, statusBecomes, useSharedJourney } from "../support/journey.ts";
describe("p", () => {
  const journey = useSharedJourney();
  it.each([1,2,3])("x %d", async () => {
    const t0 = Date.now();
    const log = (w: string) => process.stderr.write(`${Date.now() - t0} ${w}\n`);
    const shop = await journey.repository({ ".github/signalbox.yml": `checks: { test: { run: "true" } }` });
    log("repo");
    const sha = await shop.commit({ branch: "a", from: "main", files: { a: "" }, message: "A", author: "mira" });
    log("commit");
    await shop.openPullRequest({ title: "A", head: "a", author: "mira" });
    log("opened");
    await statusBecomes(shop, sha, "signalbox", "success");
    log("success");
    await calm(journey);
    log("calm");
    for (const r of journey.github.requests) log(`${r.at.getTime() - t0} ${r.method} ${r.path} ${r.body.slice(0,150)}`);
    for (const d of journey.github.deliveries()) log(`delivery ${d.deliveredAt.getTime()-t0} ${d.event} ${d.action} ${d.duration}`);
  });
});
