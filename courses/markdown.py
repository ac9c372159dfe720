"""The one renderer of lectures: the site, the author's preview and the tests all use it.

Markdown → markdown-it-py (no raw HTML) → nh3. What we make ourselves and trust (formulas, figures,
labs, questions) is kept out of that text as numbered slots, and put in after the cleaning.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from courses import rules, unread
from courses.code import Block
from courses.front import Front, Problem, length_of, read
from courses.kept import kept
from courses.questions import Template

SLOT = re.compile(r'<x-slot n="([0-9]+)"></x-slot>')
MOST_NESTED = 3
TRIES = 20
"""So many of its first tries a question is made of when it is checked; the tests take 200."""
OURS = re.compile(
    r"(?:(after|answers|before|branding|container|content|controls|footer|header|key-points|lab|labs"
    r"|live|main|now|objectives|panel|permalink|preview|progress|questions|road|sources|status)(-title)?"
    r"|(alt|ask|content|control|delete|deleted|desk|figure|follow-up|given|lab|live|logout|mark|nav"
    r"|picture|proof|question|section|site|slot|toggle|user)-.+)"
)
"""Ids that the pages around a lecture's text have, or may have."""
TAGS = {
    *("a", "aside", "blockquote", "br", "code", "del", "div", "em", "h2", "h3", "h4", "hr", "img"),
    *("li", "ol", "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th"),
    *("thead", "tr", "ul", "x-slot"),
}
ATTRIBUTES = {
    "a": {"href", "title", "rel"},
    "aside": {"class"},
    "code": {"class"},
    "div": {"class", "tabindex"},
    "h2": {"id"},
    "h3": {"id"},
    "img": {"src", "alt", "title", "width", "height", "loading"},
    "ol": {"start"},
    "p": {"class"},
    "pre": {"class", "tabindex"},
    "span": {"class"},
    "td": {"class"},
    "th": {"class", "scope"},
    "x-slot": {"n"},
}


@dataclass(frozen=True)
class Part:
    """A piece of a page: "html", or a "question" or "lab" that each reader has their own of."""

    kind: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Heading:
    id: str
    title: str
    line: int


@dataclass(frozen=True)
class Page:
    """A lecture, rendered; and what is wrong with it."""

    front: Front | None
    parts: tuple[Part, ...]
    headings: tuple[Heading, ...]
    questions: Mapping[str, Template]
    labs: tuple[str, ...]
    figures: tuple[str, ...]
    blocks: tuple[Block, ...]
    links: tuple[tuple[int, str], ...]
    pictures: tuple[tuple[int, str], ...]
    words: int
    problems: tuple[Problem, ...]
    doubts: tuple[Problem, ...] = ()


At = Callable[[int], None]


def nowhere(line: int) -> None:
    """Told each line as it is rendered: here nobody asks."""


class Builder:
    """Collects, while a text is rendered, what it holds and what is wrong with it."""

    def __init__(self, is_short: bool = False, tries: int = TRIES, at: At = nowhere) -> None:
        self.is_short, self.tries, self.at = is_short, tries, at
        self.slots: list[Part] = []
        self.problems: list[Problem] = []
        self.headings: list[Heading] = []
        self.questions: dict[str, Template] = {}
        self.labs: list[str] = []
        self.figures: list[str] = []
        self.blocks: list[Block] = []
        self.links: list[tuple[int, str]] = []
        self.pictures: list[tuple[int, str]] = []
        self.ids: set[str] = set()
        self.numbers: Counter[str] = Counter()
        self.depth = 0

    def slot(self, kind: str, text: str, **data: Any) -> str:
        self.slots.append(Part(kind, text, data))
        return f'<x-slot n="{len(self.slots) - 1}"></x-slot>'

    def problem(self, line: int, message: str, todo: str = "") -> None:
        self.problems.append(Problem(line, message, todo))

    def doubt(self, line: int, message: str, todo: str) -> None:
        self.problems.append(Problem(line, message, todo, is_doubt=True))

    def plain(self, text: str, line: int) -> None:
        """A text that is shown as it is typed: is it meant so?"""
        if found := unread.in_plain(text):
            self.doubt(line, *found)

    def render(self, text: str, first: int) -> str:
        """Markdown to HTML that is not clean yet; `first` is its first line in the file."""
        ended = f"{text}\n"  # at an end without one, the plugin of ::: reads past it
        return str(MARKDOWN.render(ended, {"builder": self, "first": first}))

    def said(self, text: str, line: int) -> SafeString:
        """A short text that begins at this line; what it holds is the lecture's."""
        found, before = said(text), line - 1
        self.problems += [replace(p, line=before + p.line) for p in found.problems]
        self.links += [(before + at, href) for at, href in found.links]
        self.pictures += [(before + at, name) for at, name in found.pictures]
        return found.html

    def nested(self, text: str, first: int) -> str:
        """The text of a note, which may have another in it, and no more."""
        if self.depth == MOST_NESTED:
            self.problem(first, "These notes stand in one another too deep", "Take one out.")
            return ""
        self.depth += 1
        try:
            return self.render(text, first)
        finally:
            self.depth -= 1

    def parts(self, html: str, tags: AbstractSet[str] = TAGS) -> tuple[Part, ...]:
        """The cleaned text cut at its slots; pieces of plain HTML are joined."""
        pieces = enumerate(SLOT.split(clean(html, tags)))
        cut = (self._slot(piece) if n % 2 else Part("html", piece) for n, piece in pieces)
        found: list[Part] = []
        for kind, run in groupby(cut, key=lambda part: part.kind):
            parts = list(run)
            joined = Part("html", "".join(part.text for part in parts))
            found += [joined] if kind == "html" else parts
        return tuple(part for part in found if part.text)

    def _slot(self, n: str) -> Part:
        return self.slots[int(n)] if int(n) < len(self.slots) else Part("html", "")

    def heading(self, id: str, title: str, line: int) -> None:  # noqa: A002 (HTML's word)
        self.headings.append(Heading(id, title, line))

    def id_of(self, title: str) -> str:
        """An id for a heading, unlike the others of the page."""
        plain = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "part"
        plain = f"part-{plain}" if OURS.fullmatch(plain) else plain
        found = plain
        while found in self.ids:
            self.numbers[plain] += 1
            found = f"{plain}-{self.numbers[plain] + 1}"
        self.ids.add(found)
        return found


def clean(html: str, tags: AbstractSet[str] = TAGS) -> str:
    """HTML of which only what a lecture needs is left. Cleaning twice changes nothing more."""
    return nh3.clean(
        html,
        tags=set(tags),
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
        clean_content_tags={"script", "style"},
    )


def render(source: str, tries: int = TRIES, at: At = nowhere) -> Page:
    """A lecture's file as a page. It never raises: what is wrong is among the problems.

    Each question is made of its first tries, to see that it can be: of 0 of them for readers, whose
    text was tried when it was loaded or published.
    """
    file = read(source)
    builder = Builder(tries=tries, at=at)
    parts = builder.parts(builder.render(file.text, file.first))
    for name in ("objectives", "key_points", "sources") if file.front else ():
        for n, text in enumerate(getattr(file.front, name)):
            builder.said(text, file.line_of(name, n))
    for name in ("title", "summary") if file.front else ():
        builder.plain(getattr(file.front, name), file.line_of(name))
    told = sorted(builder.problems, key=lambda p: p.line)
    return Page(
        front=file.front,
        parts=parts,
        headings=tuple(builder.headings),
        questions=builder.questions,
        labs=tuple(builder.labs),
        figures=tuple(builder.figures),
        blocks=tuple(builder.blocks),
        links=tuple(builder.links),
        pictures=tuple(builder.pictures),
        words=len(re.findall(r"[A-Za-z]{2,}", re.sub(r"(?ms)^(```|:::).*?^\1", "", file.text))),
        problems=(*length_of(source), *file.problems, *(p for p in told if not p.is_doubt)),
        doubts=tuple(p for p in told if p.is_doubt),
    )


@kept
def questions_in(source: str) -> Mapping[str, Template]:
    """The questions of a text that is published, by name."""
    return render(source, tries=0).questions


@dataclass(frozen=True)
class Said:
    """A short text (a question, a caption) as HTML, and what it holds, by its own lines."""

    html: SafeString
    problems: tuple[Problem, ...]
    links: tuple[tuple[int, str], ...]
    pictures: tuple[tuple[int, str], ...]


@kept
def said(text: str) -> Said:
    """A short Markdown text, without headings and directives."""
    builder = Builder(is_short=True)
    html = "".join(part.text for part in builder.parts(builder.render(text, 1)))
    single = re.fullmatch(r"<p>((?:(?!<p>).)*)</p>\s*", html, re.S)
    made = mark_safe(single[1] if single else html)  # noqa: S308 (cleaned)
    return Said(made, tuple(builder.problems), tuple(builder.links), tuple(builder.pictures))


def say(text: str) -> SafeString:
    return said(text).html


def titled(title: str) -> SafeString:
    """A heading's Markdown for the contents: no block, and no link inside a link."""
    builder = Builder(is_short=True)
    html = MARKDOWN.renderInline(title, {"builder": builder})
    parts = builder.parts(html, TAGS - {"a", "img"})
    return mark_safe("".join(part.text for part in parts))  # noqa: S308 (cleaned)


def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "typographer": False})
    made.enable(["table", "strikethrough"])
    made.use(colon_fence_plugin)
    made.use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False)
    made.inline.ruler.before("escape", "quote", rules.quote)
    unread.watch(made)
    made.block.ruler.before("table", "at", rules.at_block)
    made.core.ruler.at("inline", rules.inlines)
    made.core.ruler.push("lines", rules.lines)
    made.core.ruler.push("together", rules.together)
    found = {
        "heading_open": rules.heading_open,
        "link_open": rules.link_open,
        "image": rules.image,
        "th_open": rules.cell_open,
        "td_open": rules.cell_open,
        "table_open": rules.table_open,
        "table_close": rules.table_close,
        "fence": rules.fence,
        "code_block": rules.fence,
        "math_inline": rules.formula,
        "math_block": rules.formula,
        "colon_fence": rules.directive,
        "quote": rules.quoted,
    }
    for name, rule in found.items():
        made.add_render_rule(name, rule)
    return made


MARKDOWN = _markdown()
