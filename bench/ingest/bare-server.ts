import { createHmac, timingSafeEqual } from "node:crypto";
import { secret } from "./delivery.ts";
import { listen } from "./listen.ts";

/** The floor: reads the body, checks the signature, and forgets it. */
listen((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const digest = createHmac("sha256", secret).update(Buffer.concat(chunks)).digest("hex");
    const given = Buffer.from(String(request.headers["x-hub-signature-256"]));
    const right = timingSafeEqual(Buffer.from(`sha256=${digest}`), given);
    response.writeHead(right ? 202 : 401, { "content-length": 0 }).end();
  });
});
