"""What is wrong in a lecture, for check_course and for the editor: line, fault, and what to do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from courses import code
from courses.front import PUBLISHED, Problem
from courses.markdown import Page, render
from labs.lab import catalog

LECTURE = re.compile(r"/course/([a-z0-9-]+)/([a-z0-9-]+)/(?:#.*)?")
SECTION = re.compile(r"/course/([a-z0-9-]+)/")
LAB = re.compile(r"/labs/([a-z0-9-]+)/(?:\?.*)?")
PAGES = {"/", "/labs/", "/runs/"}
QUESTIONS = range(3, 7)
WORDS = range(600, 1_900)


def problems_in(
    source: str,
    places: Collection[str],
    pictures: Collection[str] | None = None,
    execute: bool = False,
) -> list[Problem]:
    """Everything that is wrong in a lecture's file, by line.

    `places` are the addresses of the course's sections and lectures, `pictures` the names of its
    pictures (None: they are not looked at). Executing runs the author's Python: never on the site.
    """
    page = render(source)
    found = [*page.problems, *wants_of(page, places, pictures)]
    if execute:
        found += code.run(page.blocks)
    return sorted(found, key=lambda problem: problem.line)


def wants_of(
    page: Page, places: Collection[str], pictures: Collection[str] | None = None
) -> Iterator[Problem]:
    """What a page that can be shown lacks all the same."""
    yield from page.doubts
    yield from _links(page, places)
    yield from _labs(page)
    yield from _earlier(page, places)
    for line, name in page.pictures if pictures is not None else ():
        if name not in (pictures or ()):
            yield Problem(line, f"There is no picture “{name}”", "Upload it with the editor.")
    if page.front is not None and page.front.status == PUBLISHED:
        yield from _standard(page)


def _links(page: Page, places: Collection[str]) -> Iterator[Problem]:
    ids = {heading.id for heading in page.headings}
    for line, href in page.links:
        if "//" in href or href.startswith("mailto:") or href in PAGES:
            continue
        if href.startswith("#"):
            if href[1:] not in ids:
                yield Problem(
                    line, f"This page has no heading “{href}”", "Link to one that it has."
                )
        elif lab := LAB.fullmatch(href):
            if lab[1] not in catalog():
                yield Problem(
                    line, f"There is no lab “{lab[1]}”", f"There are {', '.join(catalog())}."
                )
        elif (LECTURE.fullmatch(href) or SECTION.fullmatch(href)) and (
            href.partition("#")[0] in places
        ):
            continue
        else:
            todo = "Write /course/section/lecture/ with the slugs of one that is there."
            yield Problem(line, f"The link “{href}” leads nowhere", todo)


def _earlier(page: Page, places: Collection[str]) -> Iterator[Problem]:
    for url in page.front.prerequisites if page.front else ():
        if url not in places:
            todo = "Write the address of a lecture: /course/section/lecture/."
            yield Problem(1, f"The prerequisite “{url}” leads nowhere", todo)


def _labs(page: Page) -> Iterator[Problem]:
    named = set(page.front.labs) if page.front else set()
    for slug in sorted(named - set(catalog())):
        yield Problem(1, f"There is no lab “{slug}”", f"There are {', '.join(catalog())}.")
    for slug in sorted(set(page.labs) - named):
        todo = f"Add it: `labs: [{slug}]`."
        yield Problem(1, f"The lab “{slug}” is embedded and not in the front matter", todo)


def _standard(page: Page) -> Iterator[Problem]:
    """What a published lecture has, whatever it is about."""
    front = page.front
    assert front is not None
    if not 2 <= len(front.objectives) <= 4:
        yield Problem(
            1, "A lecture has 2 to 4 objectives", "Write `objectives:` in the front matter."
        )
    if not front.key_points:
        yield Problem(1, "Key points are missing", "Write `key_points:` in the front matter.")
    if not front.sources:
        yield Problem(1, "Sources are missing", "Write `sources:`: author, title, year.")
    if not page.figures and not page.pictures:
        yield Problem(1, "A lecture has at least one figure", "Add a :::figure.")
    if len(page.questions) not in QUESTIONS:
        todo = "Add or take out a :::question."
        yield Problem(1, f"A lecture has 3 to 6 questions, this one {len(page.questions)}", todo)
    if not any(template.kind == "numeric" for template in page.questions.values()):
        yield Problem(1, "No question is numeric", "Add a :::question numeric with fresh numbers.")
    if page.words not in WORDS:
        yield Problem(1, f"A lecture has 700 to 1,500 words, this one about {page.words}")
