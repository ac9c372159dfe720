// Copies what the pages load from node_modules into static/vendor. Safe to run again: a file that
// is already there, byte for byte, is left alone. The page never asks another host for anything.
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const serif = "@fontsource-variable/source-serif-4";
const mono = "@fontsource-variable/jetbrains-mono";

const files = {
  "htmx/htmx.min.js": "htmx.org/dist/htmx.min.js",
  "htmx/hx-sse.min.js": "htmx.org/dist/ext/hx-sse.min.js",
  "htmx/LICENSE": "htmx.org/LICENSE",
  "uplot/uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
  "uplot/uPlot.min.css": "uplot/dist/uPlot.min.css",
  "uplot/LICENSE": "uplot/LICENSE",
  "fonts/serif.woff2": `${serif}/files/source-serif-4-latin-wght-normal.woff2`,
  "fonts/serif-italic.woff2": `${serif}/files/source-serif-4-latin-wght-italic.woff2`,
  "fonts/serif-LICENSE": `${serif}/LICENSE`,
  "fonts/mono.woff2": `${mono}/files/jetbrains-mono-latin-wght-normal.woff2`,
  "fonts/mono-LICENSE": `${mono}/LICENSE`,
};

let copied = 0;
for (const [to, from] of Object.entries(files)) {
  const source = join(root, "node_modules", from);
  const target = join(root, "static", "vendor", to);
  if (!existsSync(source)) {
    console.error(`vendor: ${from} is missing from node_modules. Run "npm ci" first.`);
    process.exit(1);
  }
  if (existsSync(target) && readFileSync(target).equals(readFileSync(source))) continue;
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(source, target);
  copied += 1;
}
console.log(`vendor: ${copied} of ${Object.keys(files).length} files copied to static/vendor`);
