import { createServer } from "node:http";
import { createNodeMiddleware, createProbot } from "probot";
import { path, secret } from "../ingest/delivery.ts";

/** The peer of a start: a Probot app whose handler does nothing, on the port that it is given. */
const probot = createProbot({ overrides: { appId: 1, privateKey: process.env.PRIVATE_KEY ?? "", secret, logLevel: "fatal" } });
const middleware = await createNodeMiddleware((app) => void app.on("pull_request.opened", async () => {}), {
  probot,
  webhooksPath: path,
});
createServer((request, response) => void middleware(request, response)).listen(Number(process.env.PORT), "127.0.0.1");
