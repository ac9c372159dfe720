// The Markdown of lectures: CommonMark with tables and ~~struck~~ words, front matter, formulas between
// dollars, directives between ::: and :::, and {{quoted figures}}.
import { commonmarkLanguage } from "@codemirror/lang-markdown";
import { Language } from "@codemirror/language";
import { Tag, tags } from "@lezer/highlight";
import { Strikethrough, Table } from "@lezer/markdown";

export const formula = Tag.define();
export const directive = Tag.define();
export const quoted = Tag.define();

const FENCE = /^---\s*$/;
const COLONS = /^:{3,}/;
const FORMULA = /^\$(?![\s$])(?:[^$\\]|\\.)*?(?<!\s)\$(?!\d)/s;
const QUOTE = /^\{\{[^{}\n]+\}\}/;
const DOLLAR = 36;
const BRACE = 123;

// Each takes the lines of its block, also where the end is still missing.
function front(context, line) {
  if (context.lineStart > 0 || !FENCE.test(line.text)) return false;
  while (context.nextLine() && !FENCE.test(line.text));
  context.nextLine();
  context.addElement(context.elt("FrontMatter", 0, context.prevLineEnd()));
  return true;
}

function display(context, line) {
  if (!line.text.startsWith("$$", line.pos)) return false;
  const from = context.lineStart + line.pos;
  let rest = line.text.slice(line.pos + 2);
  while (!/\$\$\s*$/.test(rest) && context.nextLine()) rest = line.text;
  context.nextLine();
  context.addElement(context.elt("Display", from, context.prevLineEnd()));
  return true;
}

function colons(context, line) {
  if (!COLONS.test(line.text.slice(line.pos))) return false;
  const from = context.lineStart + line.pos;
  context.nextLine();
  context.addElement(context.elt("Directive", from, context.prevLineEnd()));
  return true;
}

function inline(name, first, pattern) {
  return {
    name,
    before: "Escape",
    parse(context, next, from) {
      if (next !== first) return -1;
      const found = pattern.exec(context.slice(from, context.end));
      return found ? context.addElement(context.elt(name, from, from + found[0].length)) : -1;
    },
  };
}

const ours = {
  defineNodes: [
    { name: "FrontMatter", block: true, style: tags.meta },
    { name: "Display", block: true, style: formula },
    { name: "Directive", block: true, style: directive },
    { name: "Formula", style: formula },
    { name: "Quote", style: quoted },
  ],
  parseBlock: [
    { name: "FrontMatter", parse: front, before: "HorizontalRule" },
    { name: "Display", parse: display, before: "HorizontalRule", endLeaf: (_, line) => line.text.startsWith("$$", line.pos) },
    { name: "Directive", parse: colons, before: "HorizontalRule", endLeaf: (_, line) => COLONS.test(line.text.slice(line.pos)) },
  ],
  parseInline: [inline("Formula", DOLLAR, FORMULA), inline("Quote", BRACE, QUOTE)],
};

const parser = commonmarkLanguage.parser.configure([Table, Strikethrough, ours]);
export const lecture = new Language(commonmarkLanguage.data, parser, [], "markdown");
