"""The one renderer of lectures: the site, the author's preview and the tests all use it.

Markdown → markdown-it-py (no raw HTML) → nh3. What we make ourselves and trust (formulas, figures,
labs, questions) is kept out of that text as numbered slots, and put in after the cleaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from courses import rules
from courses.code import Block
from courses.front import Front, Problem, read
from courses.questions import Template

SLOT = re.compile(r'<x-slot n="([0-9]+)"></x-slot>')
MOST_NESTED = 3
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


class Builder:
    """Collects, while a text is rendered, what it holds and what is wrong with it."""

    def __init__(self) -> None:
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
        self.depth = 0

    def slot(self, kind: str, text: str, **data: Any) -> str:
        self.slots.append(Part(kind, text, data))
        return f'<x-slot n="{len(self.slots) - 1}"></x-slot>'

    def problem(self, line: int, message: str, todo: str = "") -> None:
        self.problems.append(Problem(line, message, todo))

    def render(self, text: str, first: int) -> str:
        """Markdown to HTML that is not clean yet; `first` is its first line in the file."""
        return str(MARKDOWN.render(text, {"builder": self, "first": first}))

    def nested(self, text: str, first: int) -> str:
        """The text of a note, which may have another in it, and no more."""
        if self.depth == MOST_NESTED:
            self.problem(first, "These notes stand in one another too deep", "Take one out.")
            return ""
        self.depth += 1
        html = self.render(text, first)
        self.depth -= 1
        return html

    def parts(self, html: str) -> tuple[Part, ...]:
        """The cleaned text cut at its slots; pieces of plain HTML are joined."""
        found: list[Part] = []
        pieces = SLOT.split(clean(html))
        for n, piece in enumerate(pieces):
            part = Part("html", piece) if n % 2 == 0 else self._slot(piece)
            if part.kind == "html" and found and found[-1].kind == "html":
                found[-1] = Part("html", found[-1].text + part.text)
            elif part.text:
                found.append(part)
        return tuple(found)

    def _slot(self, n: str) -> Part:
        return self.slots[int(n)] if int(n) < len(self.slots) else Part("html", "")

    def heading(self, id: str, title: str, line: int) -> None:  # noqa: A002 (HTML's word)
        self.headings.append(Heading(id, title, line))

    def id_of(self, title: str) -> str:
        """An id for a heading, unlike the others of the page."""
        plain = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "part"
        n, found = 1, plain
        while found in self.ids:
            n += 1
            found = f"{plain}-{n}"
        self.ids.add(found)
        return found


def clean(html: str) -> str:
    """HTML of which only what a lecture needs is left. Cleaning twice changes nothing more."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
        clean_content_tags={"script", "style"},
    )


@lru_cache(maxsize=512)
def render(source: str) -> Page:
    """A lecture's file as a page. It never raises: what is wrong is among the problems."""
    file = read(source)
    builder = Builder()
    parts = builder.parts(builder.render(file.text, file.first))
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
        problems=(*file.problems, *sorted(builder.problems, key=lambda p: p.line)),
    )


@lru_cache(maxsize=4_096)
def said(text: str) -> tuple[SafeString, tuple[Problem, ...]]:
    """A short Markdown text (a question, a hint) as HTML, and its problems. No directives in it."""
    builder = Builder()
    html = "".join(part.text for part in builder.parts(builder.render(text, 1)))
    single = re.fullmatch(r"<p>((?:(?!<p>).)*)</p>\s*", html, re.S)
    return mark_safe(single[1] if single else html), tuple(builder.problems)  # noqa: S308 (cleaned)


def say(text: str) -> SafeString:
    return said(text)[0]


def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "typographer": False})
    made.enable(["table", "strikethrough"])
    made.use(colon_fence_plugin)
    made.use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False)
    made.inline.ruler.before("escape", "quote", rules.quote)
    made.core.ruler.push("lines", rules.lines)
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
