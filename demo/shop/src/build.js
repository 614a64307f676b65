import { mkdirSync, writeFileSync } from "node:fs";
import { inEuros, total } from "./cart.js";
import { goods, greeting } from "./content.js";

const rows = goods.map(({ name, price }) => `<li>${name}: ${inEuros(price)}</li>`).join("\n      ");
const page = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>The shop</title>
  <body style="font: 1.2rem system-ui; max-width: 30rem; margin: 4rem auto">
    <h1>${greeting}</h1>
    <ul>
      ${rows}
    </ul>
    <p>All of it together: ${inEuros(total(goods.map(({ price }) => price)))}</p>
  </body>
</html>
`;
mkdirSync("dist", { recursive: true });
writeFileSync("dist/index.html", page);
console.log(`Built dist/index.html with ${goods.length} goods`);
