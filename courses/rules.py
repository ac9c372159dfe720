"""How markdown-it's tokens become the HTML of a lecture: the rules of courses.markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from html import escape
from itertools import groupby
from typing import Any

from markdown_it.token import Token

from courses import code, maths, quotes
from courses.typed import flaw_of

PICTURE = re.compile(r"pictures/([a-z0-9][a-z0-9-]*-([0-9]{1,4})x([0-9]{1,4})\.png)")


def at_block(state: Any, start: int, end: int, silent: bool) -> bool:
    """No block is found here: it is told which line the parser is at."""
    state.env["builder"].at(state.env.get("first", 1) + start)
    return False


def inlines(state: Any) -> None:
    """What markdown-it's own rule does, and it is told which line it is at."""
    for token in state.tokens:
        if token.type == "inline":
            state.env["builder"].at(state.env.get("first", 1) + (token.map[0] if token.map else 0))
            token.children = [] if token.children is None else token.children
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def lines(state: Any) -> None:
    """Every token knows its line in the file, also those inside a paragraph."""
    first = state.env.get("first", 1)
    for token in state.tokens:
        line = first + (token.map[0] if token.map else 0)
        token.meta["line"] = line
        for child in token.children or ():
            child.meta["line"] = line
            line += child.type in ("softbreak", "hardbreak")
            line += child.content.count("\n") if child.type == "math_inline" else 0


def together(state: Any) -> None:
    """A formula and what touches it, such as a full stop, stay on one line; so does 98 %."""
    for token in state.tokens:
        if token.children:
            token.children = list(_together(token.children))


def _together(children: list[Token]) -> Iterator[Token]:
    for touches, group in groupby(_pieces(children), key=_touches):
        found = list(group)
        if touches and len(found) > 1 and any(t.type == "math_inline" for t in found):
            found = [
                Token("one_line_open", "span", 1, attrs={"class": "one-line"}),
                *found,
                Token("one_line_close", "span", -1),
            ]
        yield from found


def _pieces(children: list[Token]) -> Iterator[Token]:
    """Each text in up to three: what touches its neighbours, and what lies between."""
    for child in children:
        if child.type != "text":
            yield child
            continue
        first, *more = re.split(r"(\s+)", re.sub(r"(?<=[0-9]) %", "\u00a0%", child.content))
        for text in filter(None, (first, "".join(more[:-1]), *more[-1:])):
            piece = copy(child)
            piece.content = text
            yield piece


def _touches(token: Token) -> bool:
    return token.type == "math_inline" or (token.type == "text" and not token.content[0].isspace())


def heading_open(renderer: Any, tokens: list[Token], n: int, options: Any, env: Any) -> str:
    token, builder = tokens[n], env["builder"]
    title = "".join(c.content for c in tokens[n + 1].children or () if c.content)
    if builder.is_short:
        builder.problem(token.meta["line"], "A heading can stand in the lecture's text only")
    elif token.tag == "h1":
        builder.problem(token.meta["line"], "“# …” is the lecture's title already", "Write ## …")
    token.tag = {"h1": "h2", "h2": "h2", "h3": "h3"}.get(token.tag, "h4")
    tokens[n + 2].tag = token.tag
    if token.tag in ("h2", "h3") and not builder.is_short:
        token.attrSet("id", builder.id_of(title))
    if token.tag == "h2":
        builder.heading(str(token.attrGet("id")), tokens[n + 1].content, token.meta["line"])
    return str(renderer.renderToken(tokens, n, options, env))


def link_open(renderer: Any, tokens: list[Token], n: int, options: Any, env: Any) -> str:
    token = tokens[n]
    href = str(token.attrGet("href") or "")
    env["builder"].links.append((token.meta.get("line", 1), href))
    if "//" in href:
        token.attrSet("rel", "external noopener noreferrer")
    return str(renderer.renderToken(tokens, n, options, env))


def image(renderer: Any, tokens: list[Token], n: int, options: Any, env: Any) -> str:
    token, builder = tokens[n], env["builder"]
    line, alt = token.meta.get("line", 1), token.content.strip()
    if not alt:
        todo = "Say between the brackets what it shows: ![a cup on a table](pictures/…)."
        builder.problem(line, "A picture has no text alternative", todo)
    found = PICTURE.fullmatch(str(token.attrGet("src") or ""))
    if found is None:
        todo = "Upload it with the editor, which gives its name."
        builder.problem(line, "A picture is not one of the course's own", todo)
        return escape(alt)
    builder.pictures.append((line, found[1]))
    size = f'width="{found[2]}" height="{found[3]}"'
    src = f"/course/pictures/{found[1]}"
    return f'<img src="{src}" alt="{escape(alt)}" {size} loading="lazy">'


def cell_open(renderer: Any, tokens: list[Token], n: int, options: Any, env: Any) -> str:
    """The alignment of a column as a class: our policy takes no inline style."""
    token = tokens[n]
    style = str(token.attrs.pop("style", ""))
    if style:
        token.attrSet("class", style.removeprefix("text-align:"))
    if token.tag == "th":
        token.attrSet("scope", "col")
    return str(renderer.renderToken(tokens, n, options, env))


def table_open(renderer: Any, tokens: list[Token], n: int, options: Any, env: Any) -> str:
    return '<div class="scroll" tabindex="0"><table>'


def table_close(renderer: Any, tokens: list[Token], n: int, options: Any, env: Any) -> str:
    return "</table></div>"


def fence(renderer: Any, tokens: list[Token], n: int, options: Any, env: Any) -> str:
    env["builder"].at(tokens[n].meta["line"])
    return code.fence(tokens, n, env["builder"])


def formula(renderer: Any, tokens: list[Token], n: int, options: Any, env: Any) -> str:
    token, builder = tokens[n], env["builder"]
    display = token.type != "math_inline"
    builder.at(token.meta.get("line", 1))
    try:
        made = maths.mathml(token.content.strip(), display)
        if flaw_of(made):
            raise maths.BadFormula("it makes a character that no page can show")
    except maths.BadFormula as fault:
        todo = "The formula is shown as it was typed until KaTeX can read it."
        builder.problem(token.meta.get("line", 1), f"Formula: {fault}", todo)
        made = f'<code class="bad-formula">{escape(token.content)}</code>'
    wrapped = f'<div class="formula" tabindex="0">{made}</div>' if display else made
    return str(builder.slot("html", wrapped))


def directive(renderer: Any, tokens: list[Token], n: int, options: Any, env: Any) -> str:
    from courses.directives import directive  # it renders text itself

    env["builder"].at(tokens[n].meta["line"])
    return directive(tokens[n], env["builder"])


def quote(state: Any, silent: bool) -> bool:
    """`{{lab.claim.statistic}}`: a calibrated figure."""
    found = quotes.QUOTE.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        token = state.push("quote", "", 0)
        token.content = found[0]
    state.pos = found.end()
    return True


def quoted(renderer: Any, tokens: list[Token], n: int, options: Any, env: Any) -> str:
    found = quotes.QUOTE.match(tokens[n].content)
    assert found
    try:
        return f'<span class="number">{escape(quotes.quoted(found))}</span>'
    except quotes.NoSuchFigure as fault:
        env["builder"].problem(
            tokens[n].meta.get("line", 1), str(fault), "Quote one that is there."
        )
        return escape(found[0])
