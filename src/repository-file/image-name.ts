import { z } from "zod";
import { quote } from "./mistake.ts";

/** An image's name as people write it, made whole as Docker does it: `node:24` is `docker.io/library/node:24`. */
export const imageName = z
  .string()
  .max(300)
  .superRefine((given, context) => {
    if (wholeName(given) !== null) return;
    const message = `${quote(given)} is not the name of an image; write one like node:24 or ghcr.io/acme/ci:1`;
    context.addIssue({ code: "custom", message });
  })
  .transform((given) => wholeName(given) ?? given);

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
const part = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const host = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]{1,5})?$/;

function wholeName(given: string): string | null {
  const [, path = "", tag, digest] = /^([^@]+?)(?::([\w][\w.-]{0,127}))?(?:@sha256:([0-9a-f]{64}))?$/.exec(given) ?? [];
  const parts = path.split("/");
  const [first = ""] = parts;
  const hasHost = parts.length > 1 && (/[.:]/.test(first) || first === "localhost");
  const registry = hasHost ? first : "docker.io";
  const names = hasHost ? parts.slice(1) : parts;
  if (!host.test(registry) || !names.every((name) => part.test(name))) return null;
  const repository = [registry, ...(registry === "docker.io" && names.length === 1 ? ["library"] : []), ...names].join("/");
  if (digest !== undefined) return `${repository}@sha256:${digest}`;
  return `${repository}:${tag ?? "latest"}`;
}
