// How the editor looks: in the page's own colours, so that light and dark are the page's affair.
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

import { directive, formula, quoted } from "./syntax.js";

const WRONG = "var(--wrong, var(--accent))";
// Little of it: on more, the coloured words would no longer have a contrast of 4.5.
const tint = (share) => `color-mix(in srgb, var(--focus) ${share}%, transparent)`;

const words = HighlightStyle.define([
  { tag: tags.heading, color: "var(--ink)", fontWeight: "700" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.strong, fontWeight: "700" },
  { tag: tags.strikethrough, textDecoration: "line-through" },
  { tag: [tags.link, tags.string], color: "var(--accent)" },
  { tag: [tags.url, tags.quote, tags.meta, tags.comment, tags.contentSeparator, tags.processingInstruction], color: "var(--soft)" },
  { tag: tags.monospace, color: "var(--map)" },
  { tag: [formula, quoted], color: "var(--kernel)" },
  { tag: directive, color: "var(--focus)", fontWeight: "700" },
]);

const look = EditorView.theme({
  "&": { maxHeight: "70vh", fontSize: "0.9rem", color: "var(--ink)", background: "var(--paper)", border: "1px solid var(--edge, var(--soft))", borderRadius: "4px" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "2px" },
  ".cm-scroller": { overflow: "auto", minHeight: "16em", lineHeight: "1.6", fontFamily: "\"JetBrains Mono Variable\", \"Mono fallback\", ui-monospace, monospace", fontVariantLigatures: "none" },
  ".cm-content": { caretColor: "var(--ink)", padding: "8px 0" },
  ".cm-line": { padding: "0 8px" },
  ".cm-content ::selection": { color: "var(--ink)", background: tint(22) },
  ".cm-dropCursor": { borderLeft: "2px solid var(--focus)" },
  ".cm-specialChar": { color: WRONG },
  ".cm-activeLine": { background: tint(5) },
  ".cm-gutters": { background: "var(--paper)", color: "var(--soft)", border: "0 solid var(--line)" },
  ".cm-activeLineGutter": { background: tint(5), color: "var(--ink)" },
  "&.cm-focused .cm-matchingBracket": { background: "none", outline: "1px solid var(--focus)" },
  "&.cm-focused .cm-nonmatchingBracket": { background: "none" },
  ".cm-searchMatch": { background: "none", outline: "1px solid var(--focus)" },
  ".cm-searchMatch.cm-searchMatch-selected": { background: "none", outline: "2px solid var(--focus)" },
  // A problem: its line underlined, a sign beside it, and what it is on pointing at either.
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: `underline wavy ${WRONG}`, textDecorationSkipInk: "none", textUnderlineOffset: "0.25em" },
  ".cm-lintPoint::after": { borderBottomColor: WRONG },
  ".cm-gutter-lint .cm-gutterElement": { padding: "0 4px" },
  ".cm-lint-marker.cm-lint-marker-error": { content: "normal", cursor: "default" },
  ".cm-lint-marker-error::before": { content: "\"✗\"", color: WRONG, fontWeight: "700" },
  ".cm-lintRange.cm-lintRange-active": { background: "none" },
  ".cm-tooltip": { maxWidth: "min(56ch, 90vw)", color: "var(--ink)", background: "var(--paper)", border: "1px solid var(--soft)", borderRadius: "4px" },
  ".cm-diagnostic": { margin: "0", padding: "8px 12px", lineHeight: "1.5" },
  ".cm-diagnostic-error": { borderLeft: `4px solid ${WRONG}` },
  ".cm-diagnostic .hint": { display: "block", color: "var(--soft)" },
  ".cm-panels": { color: "var(--ink)", background: "var(--paper)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--line)" },
  ".cm-panel.cm-search": { padding: "8px 32px 8px 8px", lineHeight: "2" },
  ".cm-panel.cm-search label": { fontSize: "0.9em" },
  ".cm-panel [name=close]": { minWidth: "24px", minHeight: "24px", color: "var(--ink)", cursor: "pointer" },
  ".cm-panel.cm-panel-lint ul [aria-selected], .cm-panel.cm-panel-lint ul:focus [aria-selected]": { color: "var(--ink)", background: tint(10) },
  ".cm-textfield, .cm-button": { minHeight: "28px", font: "inherit", color: "var(--ink)", background: "var(--paper)", border: "1px solid var(--edge, var(--soft))", borderRadius: "4px" },
  ".cm-textfield::placeholder": { color: "var(--soft)" },
  ".cm-button": { backgroundImage: "none", cursor: "pointer" },
  ".cm-button:active": { backgroundImage: "none", background: tint(10) },
  ".cm-panel :focus-visible": { outline: "2px solid var(--focus)", outlineOffset: "1px" },
});

export const theme = [look, syntaxHighlighting(words)];
