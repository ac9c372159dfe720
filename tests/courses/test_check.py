"""What the check of a lecture finds, and what its Python prints."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from courses import code
from courses.check import problems_in
from courses.front import Problem
from courses.markdown import render
from tests.courses.specimen import CHOICE, file

ECHO = "import subprocess\n_ = subprocess.run(['echo', 'b'])"
DEAD, GONE = "[a](/course/nothing/)", "![a](pictures/b-1x1.png)"
ASKED = [
    "Which sum of weights gives 0 on an even stretch?",
    '"1"',
    "That keeps the pixel as it is.",
    "Take nine equal pixels.",
    "The weights add up to 0.",
]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("```python\nprint(1)\n```", "prints something that the page does not show"),
        ("```python\nprint(1)\n```\n\n```output\n2\n```", "not what this block prints"),
        ("```python\nimport os\nos._exit(3)\n```", "ended the interpreter"),
        ("```python\nimport os\n_ = os.write(1, b'[1/2] loading\\n')\n```", "[1/2] loading"),
        ("```python\nimport os\nos.write(2, b'\\xff')\nos._exit(3)\n```", "ended the interpreter"),
        (f"```python\nprint('é')\n{ECHO}\n```\n\n```output\né\nb\n```", ""),
        ("```python error\nx = 1\n```", "was to fail, and did not"),
        ("```python\nx = 1\n```\n\n```python\nprint(x)\n```\n\n```output\n1\n```", ""),
        ("```python error\n1 / 0\n```\n\n```output\nZeroDivisionError: division by zero\n```", ""),
    ],
)
@pytest.mark.xdist_group("lecture code")  # whose libraries are loaded once
def test_code_is_executed_and_its_output_compared(text: str, says: str) -> None:
    found = list(code.run(render(file(text)).blocks))
    assert bool(found) == bool(says)
    assert says in " ".join(map(str, found))


@pytest.mark.parametrize(
    ("text", "front", "says"),
    [
        ("[a](/course/convolution/nothing/)", {}, "leads nowhere"),
        ("[a](#nothing)", {}, "has no heading"),
        ("[a](/labs/nothing/)", {}, "There is no lab"),
        ("[a](other.md)", {}, "leads nowhere"),
        (":::lab kernel-forge\na\n:::", {}, "not in the front matter"),
        ("a", {"labs": "[nothing]"}, "There is no lab"),
        ("a", {"prerequisites": "[/course/nothing/here/]"}, "The prerequisite"),
        ("![a](pictures/b-1x1.png)", {}, "There is no picture"),
        ("", {"objectives": '["You can $\\\\frac{1$"]'}, "Formula"),
        ("", {"key_points": "['[a](/course/nothing/)']"}, "leads nowhere"),
        ("", {"sources": "['[a](/labs/nothing/)']"}, "There is no lab"),
        (f":::figure sliding-window\n{DEAD}\n:::", {}, "leads nowhere"),
        (f":::figure sliding-window\n{GONE}\n:::", {}, "There is no picture"),
        (f":::lab kernel-forge\n{DEAD}\n:::", {"labs": "[kernel-forge]"}, "leads nowhere"),
        *((CHOICE.replace(text, f"'{DEAD}'"), {}, "leads nowhere") for text in ASKED),
        *((CHOICE.replace(text, f"'{GONE}'"), {}, "There is no picture") for text in ASKED),
    ],
)
def test_what_leads_nowhere_is_told(text: str, front: dict[str, str], says: str) -> None:
    source = file(text, status="draft", **front)
    (found,) = problems_in(source, set(), pictures=[])
    assert says in str(found)
    if "](" in text:
        assert "](" in source.split("\n")[found.line - 1], "it is told at its line"


def test_a_published_lecture_is_held_to_the_standard() -> None:
    said = " ".join(map(str, problems_in(file("Short."), set())))
    for what in ("objectives", "Key points", "Sources", "figure", "3 to 6 questions", "numeric"):
        assert what in said
    assert problems_in(file("Short.", status="draft"), set()) == []
    good = [Problem(1, "a"), Problem(3, "b", "c")]
    assert [str(problem) for problem in good] == ["a.", "b. c"]


def test_the_check_runs_no_code_unless_it_is_told_to(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    text = f"```python\nopen({os.fspath(mark)!r}, 'w').close()\n```"
    problems_in(file(text, status="draft"), set())
    assert not mark.exists()
    problems_in(file(text, status="draft"), set(), execute=True)
    assert mark.exists()


def test_too_long_a_text_and_too_long_a_front_matter_are_told() -> None:
    long = file("x " * 50_000)
    assert any("a lecture takes 100,000 at most" in p.message for p in problems_in(long, set()))
    head = file("Text.").replace("minutes: 5", f"minutes: 5\n# {'x' * 10_000}")
    assert [p.message for p in problems_in(head, set())] == [
        "The front matter has more than 10,000 characters"
    ]
