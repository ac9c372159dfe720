"""Markup that was meant and is not read: it would stand on the page as it was typed, or vanish.

It is looked for in what is left as text when a paragraph has been taken apart, never in the source,
so that code, formulas and escaped characters stay free. What looks like it can still be meant as it
stands, so these are doubts: told at their lines, and publishing asks about them once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import table as read_table
from markdown_it.rules_block.table import escapedSplit, getLine
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

ROUND, ROUND_END, SQUARE, SQUARE_END, ESCAPED, FORMULA, OTHER, LINK = map(
    chr, range(0xE000, 0xE008)
)
"""What stands in the residue for an escaped bracket or character, and for what was read."""
SIGNS = str.maketrans(dict.fromkeys(range(0xE000, 0xE008), " "))
SHOWN = str.maketrans(
    {ROUND: "\\(", ROUND_END: "\\)", SQUARE: "\\[", SQUARE_END: "\\]", ESCAPED: "…"}
    | {FORMULA: "$…$", OTHER: "…", LINK: "["}
)
LONGEST = 40

NO_FORMULA, NO_LINK = "“{}” is no formula here", "“{}” is no link here"
DOLLARS = "A formula stands between dollars: $n$, or $$ on lines of its own around it."
FOOTNOTE = "Say it in the text or in a :::note, and name works under `sources:`."
PIPES = "Write \\| for a | that parts no cells: $\\|x\\|$."
HTML = (
    "a|b|blockquote|br|center|code|details|div|em|figure|font|h[1-6]|hr|i|iframe|img|kbd|li|ol|p|"
    "pre|s|script|small|span|strong|style|sub|summary|sup|table|tbody|td|th|thead|tr|u|ul|video"
)
WORD = re.compile(r"[A-Za-z]{3}|\b(?:a[nst]|b[ey]|do|if|i[nst]|no|o[fnr]|so|to|up|we)\b")
ADDRESS = r"(?:/|#[a-z]|https?://|mailto:|pictures/|www\.)"

Found = re.Match[str]
Span = tuple[int, int]


def _is_display(found: Found) -> bool:
    """Does it stand alone in its paragraph, or look like a formula? `\\[1\\]` is neither."""
    alone = found.string.strip() == found[0].strip()
    return alone or bool(re.search(r"\\[A-Za-z]|[=^_+<>]", found[1]))


def _is_html(found: Found) -> bool:
    """`<b>` can be a place to fill in, `<div>` and `</b>` cannot."""
    closes, name, more = found[1], found[2], found[3]
    return not name or bool(closes) or ("=" in more if more else len(name) > 1)


def _is_link(found: Found) -> bool:
    """`[a] (b)` and `x[0](y)` are prose."""
    label, gap, to = found.groups()
    return bool(re.match(ADDRESS, to) or not (gap or not re.search("[A-Za-z]{2}", label)))


@dataclass(frozen=True)
class Kind:
    """What was meant, in a residue; what is said of it; and where it is meant after all."""

    pattern: str
    message: str
    todo: str
    is_meant: Callable[[Found], bool] = bool

    def spans(self, residue: str) -> list[Span]:
        pattern = re.compile(self.pattern, re.MULTILINE | re.IGNORECASE)
        return [found.span() for found in pattern.finditer(residue) if self.is_meant(found)]


KINDS = (
    Kind(f"{ROUND}[^{ROUND}{ROUND_END}]*{ROUND_END}", NO_FORMULA, DOLLARS),
    Kind(f"{SQUARE}([^{SQUARE}{SQUARE_END}]*){SQUARE_END}", NO_FORMULA, DOLLARS, _is_display),
    Kind(
        rf"\$\$[^$]*\$\$|\${FORMULA}\$|\$\$",
        NO_FORMULA,
        "Put $$ on lines of their own, with an empty line before them. Within a line write $n$.",
    ),
    Kind(
        r"\\begin\{[a-z]*\*?\}?|\\(?!end\{)[A-Za-z]{2,}\{",
        "“{}” stands outside a formula",
        DOLLARS,
    ),
    Kind(
        rf"<(?:!--|(/?)({HTML})(\s[^<>]*)?/?>)",
        "“{}” is shown as it is typed: neither HTML nor its comments are read",
        "Take it out.",
        _is_html,
    ),
    Kind(rf"\[\^\w+\]|{LINK}\^\w+", "“{}” is no footnote here", FOOTNOTE),
    Kind(
        r"!?\[([^\[\]]*)\]([ \n]?)\(([^()]*)",
        NO_LINK,
        "Write [text](/course/section/lecture/): no space before the ( or in the address.",
        _is_link,
    ),
    Kind(
        rf"\([^()]*\)\[{ADDRESS}",
        NO_LINK,
        "The square brackets come first: [text](/course/section/lecture/).",
    ),
    Kind(
        r"\{\{[^{}\n]*\}\}",
        "“{}” quotes nothing",
        "Write {{lab.claim.statistic}} with a claim that `make calibrate` measures.",
    ),
    Kind(
        r"(?<=\n)\|?(?: *:?-{3,}:? *\|)+(?: *:?-{3,}:? *)?$",
        "“{}” begins no table here",
        f"Give the line above it as many cells. {PIPES}",
    ),
)
BLOCKS = (
    Kind(
        r"^(?:#{1,6}(?=[^\S\n]|[\u200b\u2060\ufeff])|#{2,6}(?=\w))",
        "“{}” begins no heading here",
        "Nothing stands before it, and an ordinary space after it, not a no-break one.",
    ),
    Kind(
        r"\A[-*+](?=[\u00a0\u2007\u202f][^\d\s])",
        "“{}” begins no list here",
        "Put an ordinary space after it, not a no-break one.",
    ),
    Kind(
        r"^(?:`{3,}|~{3,}|:{3,})",
        "“{}” begins nothing here",
        "Take away what stands before it in its line.",
    ),
)
"""What begins a paragraph's line, and would have made something else of it."""


def told(state: StateCore) -> None:
    """A rule of markdown-it's core, before text_join: then escaped characters are still known."""
    builder, first = state.env["builder"], state.env.get("first", 1)
    seen: set[tuple[int, str]] = set()
    for line, message, todo in _doubts(state):
        if (line, message) not in seen:
            seen.add((line, message))
            builder.doubt(first + line, message, todo)


def _doubts(state: StateCore) -> Iterator[tuple[int, str, str]]:
    """Line from 0 in this text, message, what to do."""
    for label, reference in state.env.get("references", {}).items():
        if label.startswith("^"):
            yield reference["map"][0], f"“[{label.lower()}]:” is no footnote here", FOOTNOTE
    before = None
    for token in state.tokens:
        line = token.map[0] if token.map else 0
        if token.type == "math_block" and re.search(r"\n\s*\n", token.content.strip()):
            todo = "Is a $$ missing before it? If not, take the empty line out."
            yield line, "An empty line stands between $$ and $$", todo
        if token.type == "fence" and token.map and _is_open(token.map, token.content):
            todo = f"Write {token.markup} on a line of its own where the code ends."
            yield line, f"“{token.markup}” is not closed, and takes in what follows", todo
        if token.type == "inline":
            kinds = KINDS + BLOCKS if before == "paragraph_open" else KINDS
            for at, message, todo in _found(_residue(token.children or []), kinds):
                yield line + at, message, todo
        before = token.type


def _is_open(lines: list[int], content: str) -> bool:
    """Has a block of code no last line? Every line of its content ends with a line end."""
    return lines[1] - lines[0] - content.count("\n") < 2


def _residue(children: list[Token]) -> str:
    """What of a paragraph is text, with a sign for all that was read; its lines are kept."""
    return "".join(map(_rest, children))


def _rest(token: Token) -> str:
    match token.type:
        case "text":
            return token.content.translate(SIGNS)
        case "text_special":
            if len(token.content) > 1:  # a backslash that escapes nothing
                return token.content.translate(SIGNS)
            known = {"(": ROUND, ")": ROUND_END, "[": SQUARE, "]": SQUARE_END}
            return known.get(token.content, ESCAPED)
        case "softbreak" | "hardbreak":
            return "\n"
        case "math_inline":
            return FORMULA + "\n" * token.content.count("\n")
        case "link_open":
            return LINK
    return OTHER if token.nesting == 0 else ""


def _found(residue: str, kinds: tuple[Kind, ...]) -> Iterator[tuple[int, str, str]]:
    """What was found is blanked, so that nothing is told in two ways."""
    for kind in kinds:
        spans = kind.spans(residue)
        yield from _named(residue, spans, kind.message, kind.todo)
        residue = _blanked(residue, spans)
    todo = "No space stands right inside a $, and no digit right outside: $n$. A dollar is \\$."
    yield from _named(residue, list(_spaced(residue)), NO_FORMULA, todo)


def _named(
    residue: str, spans: list[Span], message: str, todo: str
) -> Iterator[tuple[int, str, str]]:
    line = last = 0
    for start, end in spans:
        line, last = line + residue.count("\n", last, start), start
        shown = " ".join(residue[start : min(end, start + LONGEST)].split()).translate(SHOWN)
        yield line, message.format(shown + "…" * (end > start + LONGEST)), todo


def _blanked(residue: str, spans: list[Span]) -> str:
    parts, last = [], 0
    for start, end in spans:
        parts += [residue[last:start], re.sub("[^\n]", " ", residue[start:end])]
        last = end
    return "".join([*parts, residue[last:]])


def _spaced(residue: str) -> Iterator[Span]:
    """`$ n $`, `$n $`, `2$x$`: dollars that hold a formula and are none. Prices are free."""
    places = [found.start() for found in re.finditer(r"\$", residue)]
    last = -1
    for start, end in pairwise(places):
        if start > last and _is_formula(residue, start, end):
            yield start, end + 1
            last = end


def _is_formula(residue: str, start: int, end: int) -> bool:
    inner = residue[start + 1 : end]
    before, after = residue[max(start - 2, 0) : start], residue[end + 1 : end + 2]
    if not inner.strip() or re.search(f"[{FORMULA}{OTHER}{LINK}]", inner):
        return False
    opens, closes = not inner[0].isspace(), not inner[-1].isspace()
    if opens and closes and not (before[-1:].isdigit() or after.isdigit()):
        return False  # it was read, or something escaped stands beside it
    if not closes and after and (after.isalnum() or after in "([{\\"):
        return False  # `$5 and $6`: the second opens something, too
    if not opens and re.search(r"[0-9]\s?\Z|[^\W_]\Z", before):
        return False  # `5 $ and 6 $`, `US$ 5`
    if re.search(r"\\[A-Za-z]|[=^_]", inner):
        return True
    return bool(re.search("[A-Za-z]", inner)) and not WORD.search(inner)


def table(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """markdown-it's rule for tables, and a word on each cell that it drops or cuts."""
    before = len(state.tokens)
    if not read_table(state, first, last, silent):
        return False
    rows = [t.map[0] for t in state.tokens[before:] if t.type == "tr_open" and t.map]
    width = sum(t.type == "th_open" for t in state.tokens[before:])
    for row in rows:
        _row(state, row, width)
    return True


def _row(state: StateBlock, row: int, width: int) -> None:
    cells = [cell.strip() for cell in escapedSplit(getLine(state, row).strip().strip("|"))]
    lost = [f"“{cell[:LONGEST]}”" for cell in cells[width:] if cell.strip("$")]
    cut = [cell for cell in cells if cell.count("$") % 2 and not re.search(r"\$\d|\\\$", cell)]
    if lost:
        message = f"This row has {len(cells)} cells and its table {width}. Lost: {', '.join(lost)}"
    elif len(cut) > 1 and cut[0].endswith("$"):
        message = "A | in a formula parts the cells of this row"
    else:
        return
    state.env["builder"].doubt(state.env.get("first", 1) + row, message, PIPES)


PLAIN = re.compile(r"\$(?![\d\s])[^$\n]*(?<!\s)\$(?!\w)|`[^`\n]+`|\*\*[^*\n]+\*\*|\]\(")


def in_plain(text: str) -> tuple[str, str] | None:
    """The doubt about a text that is no Markdown, such as a title: message, what to do."""
    found = PLAIN.search(text)
    if found is None:
        return None
    return f"“{found[0][:LONGEST]}” is shown as it is typed", "Markdown is not read here."


def watch(markdown: Any) -> None:
    """Have a MarkdownIt tell what it does not read."""
    markdown.core.ruler.before("text_join", "unread", told)
    markdown.block.ruler.at("table", table, {"alt": ["paragraph", "reference"]})
