import assert from "node:assert/strict";
import { test } from "node:test";
import { inEuros, total } from "../src/cart.js";
import { goods } from "../src/content.js";

test("the total is the sum of the prices", () => {
  assert.equal(total([100, 250]), 350);
});

test("an empty cart costs nothing", () => {
  assert.equal(total([]), 0);
});

test("prices are written in euros", () => {
  assert.equal(inEuros(1999), "19.99 €");
});

test("nothing is given away", () => {
  for (const { name, price } of goods) assert.ok(price > 0, `${name} has no price`);
});
