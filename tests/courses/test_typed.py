"""YAML in lectures: texts as typed, everything else told at its line, whatever is written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses import typed
from courses.front import read
from courses.markdown import render
from tests.courses.specimen import CHOICE, NUMERIC, file

WORDS = ["9", "Yes", "no", "010", "12:30", "0x1F", "~", "null", "1_000", "2020-13-45", "1e3", ".5"]


@pytest.mark.parametrize("word", WORDS)
def test_any_text_field_has_its_text_as_it_was_typed(word: str) -> None:
    asks = CHOICE.replace('"0"', word).replace("That keeps the pixel as it is.", word)
    asks = asks.replace("[Take nine equal pixels.]", f"[{word}]")
    page = render(file(asks, objectives=f"[You can {word}]", sources=f"\n  - {word}"))
    (template,) = page.questions.values()
    assert not page.problems and page.front is not None
    assert page.front.sources == template.hints == (word,)
    assert template.options[0].right == template.options[1].says == word


def test_under_let_quotation_marks_make_a_text_of_a_number() -> None:
    let = '{a: 3, b: [0.5, -2, 1e3, 1_000], c: ["010", "3"], d: 12:30}'
    said = typed.with_numbers(typed.load(let).value)
    assert said == {"a": 3, "b": [0.5, -2, 1000.0, 1000], "c": ["010", "3"], "d": "12:30"}
    assert [type(n) for n in said["b"]] == [float, int, float, int]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (CHOICE.replace("right: ", "right: !!bool "), 10, "a lecture has no tags (!)"),
        (CHOICE.replace('right: "0"', "right: {{n}}"), 10, "stands where a name does"),
        (CHOICE.replace('wrong: "1"', "wrong: [1]"), 12, "options.1.wrong: Input should be a"),
        (CHOICE.replace("    says: That", "    note: That"), 13, "options.1.note: Extra inputs"),
        (CHOICE.replace("[Take nine", "[Note: take nine"), 14, "hints.0: Input should be a valid"),
        (CHOICE.replace("solution", "ask"), 15, "`ask` stands here twice"),
        (CHOICE.replace("hints", "x: a\ny: b: c\nhints"), 15, "mapping values are not allowed"),
        (CHOICE.replace("says", "says: a\n---\nb"), 12, "ends it, and more follows"),
        (NUMERIC.replace("tolerance: 0", "tolerance: 1:30"), 14, "tolerance: Input should be a"),
    ],
)
def test_what_is_wrong_in_a_question_is_told_at_its_own_line(
    text: str, line: int, says: str
) -> None:
    found = render(file(text)).problems
    assert [p.line for p in found if says in str(p)] == [line], found


@pytest.mark.parametrize(
    ("head", "line", "says"),
    [
        ({"objectives": "\n  - You can a.\n  - You can b: c."}, 8, "a text is needed"),
        ({"sources": "\n  - a\n  - [b]"}, 8, "needs quotes, or | and lines below"),
        ({"minutes": "12:30"}, 6, "`minutes`: Input should be a valid integer"),
        ({"minutes": "6"}, 6, "`minutes` stands here twice. Take one of them out"),
        ({"a": "\x07"}, 6, "a control character stands here"),
        ({"a": '"\x85\u2028\\uD800"'}, 6, "half a character"),
    ],
)
def test_what_is_wrong_in_a_front_matter_is_told_at_its_own_line(
    head: dict[str, str], line: int, says: str
) -> None:
    found = read(file("a", **head)).problems
    assert [p.line for p in found if says in str(p)] == [line], found


def test_a_name_that_stands_twice_is_told_and_the_lecture_still_read() -> None:
    """What students are shown already was read so before it was told."""
    front = read(file("a", minutes="6")).front
    assert front is not None and front.minutes == 6


BITS = st.sampled_from(
    [
        *("a", "a: ", "b: c", ": ", "- ", "? ", "[", "]", "{", "}", ", ", "&a ", "*a", "<<: "),
        *("!!bool ", "!!int ", "!!timestamp ", "!!python/object:os.system ", "!", "%YAML 1.1\n"),
        *('"', "'", "\\", "|\n", ">-\n", "\n", "\n  ", "\t", "#", "---", "...", "\n---\n", "{{n}}"),
        *("1:1:1.0", "0x", "1e999", "010", "\x85", "\u2028", "\ufeff", "\x00", "\ud800", "\\U0011"),
    ]
)
YAML = st.lists(BITS | st.characters(), max_size=30).map("".join)


@given(YAML)
def test_any_text_at_all_is_read_or_told_at_one_of_its_lines(text: str) -> None:
    lines = range(text.count("\n") + 1)
    try:
        said = typed.load(text)
    except typed.BadYaml as fault:
        told = fault
    else:
        assert all(0 <= p.start <= p.end <= len(text) + 1 for p in said.places.values())
        assert all(place.line in lines for place in said.places.values())
        assert leaves(said.value) <= {str, typed.Bare}
        return
    assert told.line in lines and str(told)


def leaves(value: Any) -> set[type]:
    """The types of all that is in no list and no mapping."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return set().union(*map(leaves, value))
    return {type(value)} - {type(None)}


@given(YAML)
def test_no_front_matter_and_no_question_stops_the_renderer(text: str) -> None:
    source = f"---\n{text}\n---\n:::question numeric q\n{text}\n:::\n"
    page = render(source)
    assert page.problems
    assert all(1 <= p.line <= source.count("\n") + 1 for p in page.problems)
