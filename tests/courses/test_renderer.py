"""The renderer: what an author may write, and that nothing else comes through it."""

from __future__ import annotations

import re
import signal
import statistics
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses import directives
from courses.markdown import ATTRIBUTES, TAGS, Builder, clean, render, say
from courses.maths import BadFormula, local, mathml
from labs.calibration import stored
from labs.lab import catalog
from labs.words import number
from tests.courses.payloads import PAYLOADS
from tests.courses.specimen import file


class Seen(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def prose(text: str) -> str:
    """The cleaned HTML of a text, before anything of ours is put into it."""
    builder = Builder()
    return clean(builder.render(text, 1))


def html(text: str) -> str:
    return "".join(part.text for part in render(file(text)).parts if part.kind == "html")


def problems(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for problem in render(file(text)).problems]


# --- what comes out


@pytest.mark.parametrize("line_end", ["\u2028", "\u2029", "\x85", "\x0c"])
def test_a_separator_that_was_pasted_in_leaves_a_note_closed(line_end: str) -> None:
    assert problems(f":::note\na{line_end}b\n:::") == []


def test_a_formula_is_mathml_and_needs_no_script() -> None:
    made = mathml(r"\left\lfloor\frac{n + 2p - k}{s}\right\rfloor + 1", display=True)
    assert made.startswith("<math") and "<mfrac>" in made and "style=" not in made
    assert html("$$a^2$$").startswith('<div class="formula" tabindex="0"><math')
    assert mathml(r"\mathbb{R}\mathcal{L}\mathbf{w}\mathcal{C}\mathbb{L}").count("mathvariant") == 0
    letters = mathml(r"\mathbb{R}\mathcal{L}\mathbf{w}\mathcal{C}\mathbb{L}")
    assert all(letter in letters for letter in "ℝℒ𝐰𝒞𝕃")


def test_a_formula_stays_on_one_line_with_what_touches_it() -> None:
    made = re.sub("<math.*?</math>", "F", html("A ($a$). B *$b$*, $c$ d-$e$×$f$ *g*.\n$h$: i."))
    one = '<span class="one-line">{}</span>'.format
    assert made.strip() == (
        f"<p>A {one('(F).')} B <em>F</em>, F {one('d-F×F')} <em>g</em>.\n{one('F:')} i.</p>"
    )


@pytest.mark.parametrize("text", ["x {} z", "$x$ {} z", "x {}$x$"])
@pytest.mark.parametrize("long", ["y" * 200_000, "y " * 100_000])
def test_a_text_of_any_length_does_not_hold_up_the_site(text: str, long: str) -> None:
    """It takes a second. The ceiling is for what grows with the square of the length: minutes."""

    def too_long(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(60)
    try:
        assert "y" in html(text.format(long))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_percent_sign_stays_with_its_number() -> None:
    assert "98&nbsp;% of %" in html("It is 98 % of %.") and "98 %" in html("`98 %`")


@pytest.mark.parametrize("tex", [r"\frac{1", r"\def\a{\a\a}\a", "a" * 3_000, r"\nope{", "}"])
def test_a_formula_that_katex_cannot_read_is_told_and_shown_as_typed(tex: str) -> None:
    with pytest.raises(BadFormula):
        mathml(tex)
    assert "bad-formula" in html(f"Before ${tex}$ after.") or "$" in tex


def test_a_formula_that_takes_too_long_is_told_and_the_next_one_is_read() -> None:
    mathml("x_1")
    local.context.set_time_limit(1e-6)
    try:
        with pytest.raises(BadFormula, match="takes too long"):
            mathml(r"\begin{matrix}" + "a&" * 900 + r"\end{matrix}")
    finally:
        local.context.set_time_limit(2)
    assert "<math" in mathml("x_2")


def test_code_is_highlighted_and_its_output_stands_below() -> None:
    made = html("```python\nprint(1)\n```\n\n```output\n1\n```\n")
    assert '<span class="nb">print</span>' in made
    assert '<pre class="output" tabindex="0"><code>1\n</code></pre>' in made
    (block,) = render(file("```python\nprint(1)\n```\n\n```output\n1\n```\n")).blocks
    assert (block.code, block.output, block.line) == ("print(1)\n", "1\n", 7)


def test_a_column_is_aligned_by_a_class() -> None:
    made = html("| a | b |\n|---|--:|\n| 1 | 2 |")
    assert '<td class="right">2</td>' in made and "style" not in made


def test_a_picture_of_the_course_has_its_size_and_its_alternative() -> None:
    assert html("![a cup](pictures/cup-640x480.png)") == (
        '<p><img src="/course/pictures/cup-640x480.png" alt="a cup" width="640" height="480" '
        'loading="lazy"></p>\n'
    )


def test_a_link_outside_says_that_it_is_one() -> None:
    assert 'rel="external noopener noreferrer"' in html("[a](https://example.org/)")
    assert "rel=" not in html("[a](/course/convolution/)")


def test_a_calibrated_figure_is_quoted() -> None:
    values = stored(catalog()["first-cnn"])["digits-97"].values
    median = number(100 * statistics.median(values), 1)
    assert f'<span class="number">{median} %</span>' in html("{{first-cnn.digits-97.median|%1}}")
    assert '<span class="number">20</span>' in html("{{ first-cnn.digits-97.seeds }}")


def test_notes_and_mistakes_hold_markdown() -> None:
    made = html(":::note An aside\n*a* $b$\n:::\n\n:::mistake\nc\n:::")
    assert '<aside class="aside-note"><p class="note-title">An aside</p><p><em>a</em>' in made
    assert '<p class="note-title">A common mistake</p>' in made


def test_a_figure_moves_by_its_own_controls() -> None:
    made = html(':::figure sliding-window {"row": 2}\nThe window.\n:::')
    assert 'hx-get="/course/figures/sliding-window/"' in made
    assert 'id="control-figure-1-row" name="row"' in made and "The window." in made
    assert 'role="img" aria-label="' in made


def test_a_lab_carries_its_settings() -> None:
    page = render(file(':::lab kernel-forge {"stride": 2, "show": ["stride"]}\nDo *it*.\n:::'))
    (part,) = [part for part in page.parts if part.kind == "lab"]
    assert part.text == "kernel-forge" and page.labs == ("kernel-forge",)
    assert dict(part.data) == {
        "number": 1,
        "params": {"stride": 2},
        "show": ["stride"],
        "task": "Do <em>it</em>.",
    }


# --- what is told to the author, at its line


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a\n\n# Title", 9, "title already"),
        ("a\n\nb $\\frac{1$", 9, "Formula:"),
        ("![](pictures/a-1x1.png)", 7, "no text alternative"),
        ("![a](https://example.org/a.png)", 7, "not one of the course's own"),
        (":::nothing\n:::", 7, "is no directive"),
        (":::figure nothing\na\n:::", 7, "There is no figure"),
        (":::figure sliding-window\n:::", 7, "has no caption"),
        (':::figure sliding-window {"row": 9}\na\n:::', 7, "from 0 to 3"),
        (":::figure sliding-window {row}\na\n:::", 7, "cannot be read"),
        (":::lab nothing\n:::", 7, "There is no lab"),
        (':::lab kernel-forge {"stride": 9}\na\n:::', 7, "Stride must be"),
        (':::lab kernel-forge {"show": ["x"]}\na\n:::', 7, "names a control"),
        (':::lab kernel-forge {"picture": "cofee"}\na\n:::', 7, "no picture “cofee”"),
        (":::note\na", 7, "“:::note” is not closed"),
        ("> :::note\n> ", 7, "“:::note” is not closed"),
        (':::lab kernel-forge {"picture": ["coffee"]}\na\n:::', 7, "Picture must name"),
        (':::lab kernel-forge {"picture": "\\ud800"}\na\n:::', 7, "(a surrogate)"),
        (':::lab kernel-forge {"stride": NaN}\na\n:::', 7, "a number is too large"),
        (':::lab kernel-forge {"show": [["stride"]]}\na\n:::', 7, "names a control"),
        ('a\n\n$\\char"D800$', 9, "a character that no page can show"),
        ('$\\text{\\char"0 csrf\\char"0}$', 7, "a character that no page can show"),
        ("a\n\nb \ud800", 9, "(a surrogate)"),
        (":::figure sliding-window\n\n::::figure sliding-window\n::::\n:::", 9, "can stand in"),
        (":::figure sliding-window\na\n## Progress\n:::", 9, "A heading can stand in"),
        ("a\n\n:::figure sliding-window\na\n\nMore.", 9, "is not closed"),
        (':::question choice q\nask: "$\\frac{1}{2}$"\n:::', 8, "a backslash is lost before"),
        (":::question\n:::", 7, "a kind and a name"),
        ("a {{first-cnn.nope.median}}", 7, "no calibrated claim"),
        ("a {{nope.nope.median}}", 7, "There is no lab"),
        ("a {{first-cnn.digits-97.nope}}", 7, "is no statistic"),
        ("a\n\n```output\n1\n```", 9, "without its code"),
        (":::note\n\na $\\frac{1$\n:::", 9, "Formula:"),
    ],
)
def test_what_is_wrong_is_told_at_its_line(text: str, line: int, says: str) -> None:
    found = problems(text)
    assert [at for at, message in found if says in message] == [line], found


@pytest.mark.parametrize(
    "fault",
    [KeyError("a"), OverflowError("b"), RecursionError("c"), TypeError("d"), ValueError("e")],
)
def test_whatever_a_directive_trips_over_is_told_at_its_line(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trips(*_: object) -> str:
        raise fault

    monkeypatch.setitem(directives.MAKERS, "note", trips)
    text = f"a\n\n:::note {fault!r}\nb\n:::"
    assert problems(text) == [(9, f"This :::note cannot be read: {fault}")]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("no front matter", "missing"),
        ("---\ntitle: [\n---\n", "front matter"),
        ("---\n- a\n---\n", "no `title"),
        (file("a", minutes_more="1"), "`minutes_more` is not known"),
        (file("a").replace("minutes: 5", "minutes: five"), "`minutes`"),
        (file("a").replace("published", "ready"), "neither draft nor published"),
        (file("a", objectives="[Understand it.]"), "begins with “You can”"),
        ("---\ntitle: &a [*a]\n---\n", "no anchors (&) and aliases (*)"),
        (f"---\nminutes: 0x{'F' * 5_000}\n---\n", "`minutes`: Input should be a valid integer"),
        ('---\ntitle: "\\ud800"\n---\n', "(a surrogate)"),
        ("---\ntitle: !!bool x\n---\n", "a lecture has no tags (!)"),
        (file("a", sources="[{a: b}]"), "a text is needed, not a list or a mapping"),
        (f"---\na: {'[' * 9_000}\n---\n", "too deep"),
        (f"---\na: [{'a,' * 20_000}]\n---\n", "more than 10,000 characters"),
        ("---\na: b\n--- \n", "`title` is missing"),
        ('---\na: "\\U00110000"\n---\n', "it is no YAML"),
        ("---\na: b\n? [a]\n---\n", "stands where a name does"),
        ("---\n<<: {status: draft}\n---\n", "`<<` is not known here"),
        ("---\n---\n", "title"),
        (file("a", key_points='["$\\frac{1}{2}$"]'), "a backslash is lost before “rac{1}{2"),
    ],
)
def test_a_front_matter_that_is_not_whole_is_told(source: str, says: str) -> None:
    page = render(source)
    assert page.front is None
    assert says in " ".join(map(str, page.problems))


@pytest.mark.parametrize(
    "source",
    [
        "---\ntitle: 2020-13-45\n---\n",
        f"---\ntitle: {'[' * 3_000}\n---\n",
        f"---\nminutes: {'9' * 5_000}\n---\n",
        file("\n".join(f"{':' * n}note" for n in range(400, 2, -1))),
        file(f":::lab kernel-forge {'[' * 50_000}\na\n:::"),
        file(f":::question choice q\n{'[' * 3_000}\n:::"),
        file(":::question choice q\nask: 2020-13-45\n:::"),
        file("> " * 3_000 + "a"),
        file("$" * 5_000),
        file("".join(f"{':' * n}figure sliding-window\n" for n in range(300, 2, -1))),
        file("$a" * 60_000),
        file("[" * 5_000),
    ],
)
def test_what_is_built_to_break_the_renderer_is_told(source: str) -> None:
    assert isinstance(render(source).problems, tuple)


# --- what does not come through


@given(st.text(max_size=300) | st.sampled_from(PAYLOADS))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean(text)
    assert clean(once) == once


@given(st.lists(st.sampled_from(PAYLOADS) | st.text(max_size=40), max_size=4))
def test_any_text_is_rendered_and_clean(parts: list[str]) -> None:
    made = prose("\n\n".join(parts))
    for tag, attributes in Seen(made).tags:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES.get(tag, set()), made


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_leaves_an_attribute_or_an_element_that_acts(payload: str) -> None:
    page = render(file(payload))
    shown = "".join(part.text for part in page.parts if part.kind == "html")
    shown += "".join(str(part.data.get("task", "")) for part in page.parts)
    for template in page.questions.values():
        asked = template.made("1", say)
        shown += asked.ask + "".join(asked.hints) + asked.solution
        shown += "".join(o.text + o.says for o in getattr(asked, "options", ()))
    for tag, attributes in Seen(shown).tags:
        assert tag not in {"script", "iframe", "object", "embed", "style", "link", "meta", "base"}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert not re.match(
            r"\s*(javascript|vbscript|data):", str(attributes.get("href") or ""), re.I
        )
        if "hx-get" in attributes:
            assert str(attributes["hx-get"]).startswith("/course/figures/")


ACTS = re.compile(r"on|style|hx-|data-|src(doc|set)$|formaction|action|xlink|autofocus")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_cleaning_holds_by_itself_were_there_raw_html(payload: str) -> None:
    """The second wall: what Markdown lets through today it may not tomorrow."""
    for tag, attributes in Seen(clean(payload)).tags:
        assert tag not in {"script", "iframe", "object", "embed", "style", "form", "input", "svg"}
        assert [n for n in attributes if ACTS.match(n) and (tag, n) != ("img", "src")] == []
        address = str(attributes.get("href") or attributes.get("src") or "")
        assert not re.match(r"\s*(javascript|vbscript|data|file|blob|feed):", address, re.I)


def test_there_are_as_many_payloads_as_were_asked_for() -> None:
    assert len(set(PAYLOADS)) >= 150
