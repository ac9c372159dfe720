"""What stands between ::: and ::: in a lecture: notes, mistakes, figures, labs and questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from markdown_it.token import Token
from pydantic import ValidationError

from courses import questions, typed
from courses.expressions import BadExpression
from courses.figures.figure import every_figure
from courses.front import Problem
from courses.markdown import Builder
from courses.typed import QUOTES, BadYaml, flaw_of
from labs.controls import controls_for, validate
from labs.data.pictures import PICTURES
from labs.lab import catalog
from labs.params import Params, picture_fields

Maker = Callable[[str, Token, Builder], str]


def directive(token: Token, builder: Builder) -> str:
    """HTML of a directive, or the slot that a reader's own question or lab takes."""
    name, _, rest = token.info.strip().partition(" ")
    line = token.meta["line"]
    if builder.is_short:
        builder.problem(line, f"“:::{name}” can stand in the lecture's text only")
        return f"<p>{escape(token.content)}</p>"
    first, end = token.map or (0, 0)
    if end - first - token.content.count("\n") < 2:
        todo = (
            "Write ::: on a line of its own where it ends: till now it takes in all that follows."
        )
        builder.problem(line, f"“:::{name}” is not closed", todo)
    make = MAKERS.get(name)
    if make is None:
        known = ", ".join(f":::{known}" for known in MAKERS)
        builder.problem(line, f"“:::{name}” is no directive", f"There are {known}.")
        return f"<p>{escape(token.content)}</p>"
    try:
        return make(rest.strip(), token, builder)
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as fault:
        builder.problem(line, f"This :::{name} cannot be read: {fault}")
        return ""


def _note(title: str, token: Token, builder: Builder, kind: str) -> str:
    builder.plain(title, token.meta["line"])
    inner = builder.nested(token.content, token.meta["line"] + 1)
    return f'<aside class="{kind}"><p class="note-title">{escape(title)}</p>{inner}</aside>'


def note(rest: str, token: Token, builder: Builder) -> str:
    """`:::note A title`: an aside that the thread can do without."""
    return _note(rest or "Note", token, builder, "aside-note")


def mistake(rest: str, token: Token, builder: Builder) -> str:
    """`:::mistake`: a common mistake, shown and put right."""
    return _note(rest or "A common mistake", token, builder, "aside-mistake")


def figure(rest: str, token: Token, builder: Builder) -> str:
    """`:::figure name {"param": value}`, and below it the caption."""
    name, values = _named(rest, token, builder)
    found = every_figure().get(name)
    line = token.meta["line"]
    if found is None:
        builder.problem(
            line, f"There is no figure “{name}”", f"There are {', '.join(every_figure())}."
        )
        return ""
    if not token.content.strip():
        builder.problem(
            line, f"The figure “{name}” has no caption", "Write one below its first line."
        )
    params, errors = validate(found.params, values)
    if params is None:
        for wrong in errors.values():
            says = wrong.replace("of this lab", "of this figure")
            builder.problem(line, f"The figure “{name}”: {says}", _settings(found.params))
        params = found.params()
    builder.figures.append(name)
    place = f"figure-{len(builder.figures)}"
    shown = {
        "figure": found,
        "place": place,
        "drawing": found.draw(params),
        "caption": builder.said(token.content, line + 1),
        "controls": controls_for(found.params, params.model_dump(), prefix=f"{place}-"),
    }
    return builder.slot("html", render_to_string("courses/_figure.html", shown))


def lab(rest: str, token: Token, builder: Builder) -> str:
    """`:::lab slug {"param": value}`, and below it what to do there."""
    slug, values = _named(rest, token, builder)
    found, line = catalog().get(slug), token.meta["line"]
    if found is None:
        builder.problem(line, f"There is no lab “{slug}”", f"There are {', '.join(catalog())}.")
        return ""
    show = _shown(values.pop("show", []), found.params, line, builder)
    params, errors = validate(found.params, values)
    for wrong in errors.values():
        builder.problem(line, f"The lab “{slug}”: {wrong}", _settings(found.params))
    for name in picture_fields(found.params) if params else ():
        if values.get(name, next(iter(PICTURES))) not in PICTURES:
            todo = f"There are {', '.join(PICTURES)}."
            builder.problem(line, f"The lab “{slug}”: no picture “{values[name]}”", todo)
    builder.labs.append(slug)
    task = builder.said(token.content, line + 1)
    number = len(builder.labs)
    return builder.slot(
        "lab", slug, number=number, params=values if params else {}, show=show, task=task
    )


def _settings(params: type[Params]) -> str:
    return f"Its settings are {', '.join(params.model_fields) or 'none'}."


def _shown(given: Any, params: type[Params], line: int, builder: Builder) -> list[str]:
    """The controls that the lecture shows first."""
    known = params.model_fields
    if isinstance(given, list) and all(isinstance(n, str) and n in known for n in given):
        return given
    todo = f'Write "show": ["…"] with some of {", ".join(known)}.'
    builder.problem(line, "“show” names a control that the lab has not", todo)
    return []


def question(rest: str, token: Token, builder: Builder) -> str:
    """`:::question kind name`, and below it the question in YAML."""
    kind, _, name = rest.partition(" ")
    line = token.meta["line"]
    if kind not in questions.KINDS or not questions.NAME.fullmatch(name):
        todo = f"Write :::question {'|'.join(questions.KINDS)} and a name such as output-size."
        builder.problem(line, "A question has a kind and a name", todo)
        return ""
    if name in builder.questions:
        builder.problem(line, f"Two questions are named “{name}”", "Give one of them another name.")
        return ""
    template = _template(kind, name, token, builder)
    if template is None or (builder.tries and not _can_be_asked(template, token, builder)):
        return ""
    builder.questions[name] = template
    return builder.slot("question", name)


def _can_be_asked(template: questions.Template, token: Token, builder: Builder) -> bool:
    """Make the question as its first readers get it, and tell what is wrong in such a try."""
    line, rows = token.meta["line"], token.content.split("\n")
    seen, tries = Builder(), 0

    def line_of(text: str) -> int:
        first = text.partition("\n")[0]
        below: int = next((n for n, row in enumerate(rows, 1) if first and first in row), 0)
        return int(line) + below

    def say(text: str) -> SafeString:
        return seen.said(text, line_of(text))

    if template.kind == "numeric" and not template.let:
        seen.problem(line, "a numeric question has fresh numbers each try; draw them under `let`")
    try:
        most = builder.tries if template.let else 0
        while not tries or (tries < most and all(map(_may_be, seen.problems))):
            made = template.made(f"{template.name}/{tries}", say)
            options = [option.text for option in getattr(made, "options", ())]
            if len(set(options)) < len(options):
                seen.problem(line, "two of its options are the same")
            tries += 1
    except BadExpression as fault:
        seen.problem(line_of(fault.text), str(fault))
    for wrong in dict.fromkeys(seen.problems):
        message = f"The question “{template.name}”: {wrong.message}"
        builder.problems.append(replace(wrong, message=message))
    builder.links += dict.fromkeys(seen.links)
    builder.pictures += dict.fromkeys(seen.pictures)
    return tries > 0


def _may_be(problem: Problem) -> bool:
    return problem.is_doubt


def _template(kind: str, name: str, token: Token, builder: Builder) -> questions.Template | None:
    line = token.meta["line"]

    def say(at: int, message: str, todo: str = "") -> None:
        builder.problem(line + at, f"The question “{name}”{message}", todo)

    try:
        given = typed.load(token.content)
    except BadYaml as fault:
        say(fault.line + 1, f": {fault}", fault.todo)
        return None
    for twice, at in given.twice:
        say(at + 1, f": `{twice}` stands here twice", "Take one of them out: the last one counts.")
    if not isinstance(given.value, dict):
        say(0, " is empty", "Write `ask: …` below it.")
        return None
    try:
        return questions.Template.model_validate({**given.value, "kind": kind, "name": name})
    except ValidationError as fault:
        for error in fault.errors():
            where = ".".join(map(str, error["loc"]))
            what = error["msg"].removeprefix("Value error, ")
            todo = QUOTES if error["type"] == "string_type" else ""
            at = given.line_of(error["loc"]) + 1 if where else 0
            say(at, f"{f', {where}' if where else ''}: {what}", todo)
        return None


def _named(rest: str, token: Token, builder: Builder) -> tuple[str, dict[str, Any]]:
    """The name, and the params in JSON behind it."""
    name, _, given = rest.partition(" ")
    if not given.strip():
        return name, {}
    try:
        values = json.loads(given)
    except (ValueError, RecursionError) as fault:
        values = None
        what = str(fault)
    else:
        what = flaw_of(values) or "it is no object"
    if isinstance(values, dict) and not flaw_of(values):
        return name, values
    todo = 'Write the settings as JSON, in one line: {"stride": 2}.'
    builder.problem(token.meta["line"], f"The settings of “{name}” cannot be read: {what}", todo)
    return name, {}


MAKERS: dict[str, Maker] = {
    "figure": figure,
    "lab": lab,
    "mistake": mistake,
    "note": note,
    "question": question,
}
