import type { z } from "zod";
import { type FieldProblem, invalid, Refusal } from "./answers.ts";
import type { Call } from "./router.ts";

/** The JSON body, checked; refuses as GitHub does: 400 for what is no JSON object, 422 with the fields that are wrong. */
export function bodyOf<Shape>(call: Call, resource: string, shape: z.ZodType<Shape>): Shape {
  const result = shape.safeParse(jsonOf(call.body));
  if (result.success) return result.data;
  throw invalid(...result.error.issues.map((issue) => problem(resource, issue)));
}

function jsonOf(body: Buffer): object {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    throw new Refusal(400, "Problems parsing JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Refusal(400, "Body should be a JSON object");
  return value;
}

function problem(resource: string, issue: z.core.$ZodIssue): FieldProblem {
  const field = issue.path.map(String).join(".") || "body";
  if (issue.code === "invalid_type" && issue.input === undefined) return { resource, field, code: "missing_field" };
  return { resource, field, code: "custom", message: issue.message };
}
