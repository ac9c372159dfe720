// Makes static/vendor, which is all that the pages load from npm: files that are copied, fonts with
// the signs that the pages use, and the authors' editor as one script. Safe to run again: a file that is already
// there, byte for byte, is left alone. The page never asks another host for anything.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const vendor = join(root, "static", "vendor");
const editor = join(root, "static", "js", "editor");
const serif = "@fontsource-variable/source-serif-4";
const mono = "@fontsource-variable/jetbrains-mono";
const math = "@fontsource/stix-two-math";

const copies = {
  "htmx/LICENSE": "htmx.org/LICENSE",
  "uplot/uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
  "uplot/uPlot.min.css": "uplot/dist/uPlot.min.css",
  "uplot/LICENSE": "uplot/LICENSE",
  // The server runs it when a lecture is saved, to make MathML; no page loads it.
  "katex/katex.min.js": "katex/dist/katex.min.js",
  "katex/LICENSE": "katex/LICENSE",
  "fonts/serif-LICENSE": `${serif}/LICENSE`,
  "fonts/mono-LICENSE": `${mono}/LICENSE`,
  "fonts/math-LICENSE": `${math}/LICENSE`,
};

// The signs of the lectures' formulas; the subset keeps the larger forms of those that stretch.
// A browser slants a lone letter by taking it from the mathematical italics: these must be there.
const SIGNS = [
  range(0x20, 0x7e),
  range(0x391, 0x3c9),
  range(0x1d400, 0x1d49b), // bold, italic and bold italic letters
  range(0x1d49c, 0x1d4b5), // script capitals
  range(0x1d538, 0x1d551), // double-struck capitals
  range(0x1d6a8, 0x1d755), // the same three of Greek
  range(0x1d7ce, 0x1d7d7), // bold digits
  "\u00a0¬°±²³µ·×÷¨¯´ıϑϕϖϱϵℂℕℙℚℝℤ𝟙ℬℰℱℋℐℒℳℛℑℜℓℎℏℵ",
  "‐–—‖‘’“”†‡•…′″‴‾\u2009\u200a\u2061\u2062\u2063ˆˇˉ˘˙˚˜\u0302\u0303\u0304\u0307\u0308\u20d7",
  "←↑→↓↔↕↖↗↘↙↛↤↦↩↪↼↽⇀⇁⇄⇋⇌⇐⇑⇒⇓⇔⟵⟶⟷⟸⟹⟺⟻⟼",
  "∀∂∃∄∅∆∇∈∉∋∏∐∑−∓∔∕∖∗∘∙√∛∝∞∠∣∤∥∦∧∨∩∪∫∬∭∮∴∵∶∷∼≁≃≅≈≉≍≐≔≕≜≝≟≠≡≢≤≥≦≧≨≩≪≫≲≳≺≻",
  "⊂⊃⊄⊅⊆⊇⊈⊉⊊⊋⊎⊓⊔⊕⊖⊗⊘⊙⊚⊛⊞⊟⊠⊡⊢⊣⊤⊥⊨⋀⋁⋂⋃⋄⋅⋆⋮⋯⋰⋱⨀⨁⨂⨆⩽⩾",
  "⌈⌉⌊⌋⟦⟧⟨⟩⟮⟯⏐⏜⏝⏞⏟⎴⎵│■□▪▫▲△▶▷▼▽◀◁◆◇○●◦★☆✓✗⧫",
].join("");

// British English, and names in the languages of western Europe.
const LETTERS = `${range(0x20, 0x7e)}${range(0xa0, 0xff)}ıŒœ–—‘’‚“”„†‡•…‰′″‹›⁄€™←↑→↓−≈≠≤≥⁰⁴⁵⁶⁷⁸⁹⁻∗⌊⌋`;

const fonts = {
  "fonts/serif.woff2": [`${serif}/files/source-serif-4-latin-wght-normal.woff2`, LETTERS, { wght: { min: 400, max: 700 } }],
  "fonts/serif-italic.woff2": [`${serif}/files/source-serif-4-latin-wght-italic.woff2`, LETTERS, { wght: 400 }],
  "fonts/mono.woff2": [`${mono}/files/jetbrains-mono-latin-wght-normal.woff2`, LETTERS, { wght: 400 }],
  "fonts/math.woff2": [`${math}/files/stix-two-math-latin-400-normal.woff2`, SIGNS],
};

// What is made here, from what, and how. Each is made again only where one of these has changed.
const htmx = ["htmx.min.js", "ext/hx-sse.min.js"].map((name) => join(modules, "htmx.org", "dist", name));
const products = {
  "editor/editor.js": { from: [...scripts(editor), join(root, "static", "js", "smaller.js")], make: bundleEditor },
  // In one file, the extension is there before htmx begins, and the file can be deferred.
  "htmx/htmx.js": { from: htmx, make: async () => ({ "htmx/htmx.js": htmx.map((file) => readFileSync(file, "utf8")).join("\n") }) },
};
for (const [to, [from, signs, variationAxes]] of Object.entries(fonts)) {
  const source = join(modules, from);
  products[to] = { from: [source], make: async () => ({ [to]: await subset(source, signs, variationAxes) }) };
}
const rules = ["package-lock.json", "tools/vendor.mjs"].map((name) => join(root, name));

function range(first, last) {
  return String.fromCodePoint(...Array.from({ length: last - first + 1 }, (_, n) => first + n));
}

function scripts(folder) {
  return readdirSync(folder).filter((name) => name.endsWith(".js")).sort().map((name) => join(folder, name));
}

// A font with these signs alone, and of its weights these. Hints are a quarter of the math font.
async function subset(source, signs, variationAxes) {
  const { default: subsetFont } = await import("subset-font");
  return subsetFont(readFileSync(source), signs, { targetFormat: "woff2", noHinting: true, variationAxes });
}

async function bundleEditor() {
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join(editor, "editor.js")],
    outfile: join(vendor, "editor", "editor.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    banner: { js: "/* Convolab's editor, with CodeMirror (MIT, see LICENSE). */" },
    metafile: true,
    write: false,
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const used = Object.keys(inputs).filter((name) => inputs[name].bytesInOutput);
  return { "editor/editor.js": outputFiles[0].contents, "editor/LICENSE": licences(used) };
}

// The licences of the packages whose code is in the bundle, each text once.
function licences(used) {
  const named = new Map();
  for (const name of new Set(used.map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]))) {
    if (!name) continue;
    const text = readFileSync(join(modules, name, "LICENSE"), "utf8").trim();
    named.set(text, [...(named.get(text) ?? []), name]);
  }
  return [...named].map(([text, names]) => `${names.sort().join(", ")}:\n\n${text}\n`).join("\n\n");
}

function digest(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${file.slice(root.length)}\0`).update(readFileSync(file));
  return hash.digest("hex");
}

let written = 0;
function keep(to, content) {
  const target = join(vendor, to);
  const bytes = Buffer.from(content);
  if (existsSync(target) && readFileSync(target).equals(bytes)) return;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, bytes);
  written += 1;
}

for (const file of [...Object.values(copies), ...Object.values(fonts).map(([from]) => from)].map((name) => join(modules, name))) {
  if (existsSync(file)) continue;
  console.error(`vendor: ${file.slice(root.length + 1)} is missing. Run "npm ci" first.`);
  process.exit(1);
}
for (const [to, from] of Object.entries(copies)) keep(to, readFileSync(join(modules, from)));

const stamp = join(vendor, ".made.json");
const made = existsSync(stamp) ? JSON.parse(readFileSync(stamp, "utf8")) : {};
for (const [to, { from, make }] of Object.entries(products)) {
  const source = digest([...rules, ...from]);
  if (made[to] === source && existsSync(join(vendor, to))) continue;
  for (const [name, content] of Object.entries(await make())) keep(name, content);
  made[to] = source;
}
writeFileSync(stamp, JSON.stringify(made));
console.log(`vendor: ${written} files written to static/vendor, the others are as they were`);
