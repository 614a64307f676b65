import { generateKeyPairSync } from "node:crypto";
import { createNodeMiddleware, createProbot } from "probot";
import { path, secret } from "./delivery.ts";
import { listen } from "./listen.ts";

/** The peer: a Probot app whose handler does nothing, and that logs nothing. */
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const probot = createProbot({ overrides: { appId: 1, privateKey, secret, logLevel: "fatal" } });
const middleware = await createNodeMiddleware((app) => void app.on("pull_request.opened", async () => {}), {
  probot,
  webhooksPath: path,
});
listen((request, response) => void middleware(request, response));
