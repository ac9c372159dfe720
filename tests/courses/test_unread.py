"""Markup that was meant and is not read is told at its line; what only looks like it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.check import problems_in
from courses.markdown import render
from tests.courses.specimen import CHOICE, file

ROW = "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


def told(text: str) -> list[tuple[int, str]]:
    """Line of the text, from 1, and message of each doubt."""
    page = render(file(text, status="draft"))
    assert not page.problems, page.problems
    return [(problem.line - 6, problem.message) for problem in page.doubts]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a\nb \\(n - k + 1\\)", 2, "“\\(n - k + 1\\)” is no formula here"),
        ("\\[ y = x \\]", 1, "“\\[ y = x \\]” is no formula"),
        ("\\[\nx\n\\]", 1, "is no formula"),
        ("So \\[\\frac{a}{b}\\] it is", 1, "is no formula"),
        ("a\nb $$n - k$$, c", 2, "“$$…$$” is no formula"),
        ("a $$ n - k $$ b", 1, "“$$ n - k $$” is no formula"),
        ("Hence\n$$\ny = x\n$$\nand so on.", 2, "“$$ y = x $$” is no formula"),
        ("Hence\n$$y = x$$", 2, "“$$…$$” is no formula"),
        ("a\n\n$$ y = x $$ b", 3, "is no formula"),
        ("a\n\n$$\ny = x\n\nb", 3, "“$$” is no formula"),
        ("$$\ny\n\nlost\n$$", 1, "An empty line stands between $$ and $$"),
        ("a $ n - k $, b", 1, "“$ n - k $” is no formula"),
        ("a $n $ b", 1, "“$n $” is no formula"),
        ("a $ n$ b", 1, "“$ n$” is no formula"),
        ("3$\\times$3", 1, "“$\\times$” is no formula"),
        ("$k$3", 1, "“$k$” is no formula"),
        ("a $x\ny$ b\n$ z $", 3, "“$ z $” is no formula"),
        ("\\begin{align}\na &= b\n\\end{align}", 1, "“\\begin{align}” stands outside a formula"),
        ("a $\\frac{1}{2} b", 1, "“\\frac{” stands outside a formula"),
        (f"{ROW}| $|x|$ | 3 |", 4, "This row has 4 cells and its table 2. Lost: “3”"),
        ("> | a |\n> |---|\n> | 1 | 2 |", 3, "This row has 2 cells and its table 1. Lost: “2”"),
        ("| a | b | c | d |\n|---|---|---|---|\n| $|x|$ | 3 |", 3, "A | in a formula parts"),
        ("| $|x|$ | b |\n| --- | --- |\n| 1 | 2 |", 2, "“| --- | --- |” begins no table here"),
        ("a <!-- look\nagain -->", 1, "“<!--” is shown as it is typed"),
        ("a<br>b", 1, "“<br>” is shown"),
        ('<img src="a.png">', 1, "“<img"),
        ("H2</sub>O", 1, "“</sub>” is shown"),
        ("<b>bold</b>", 1, "“</b>” is shown"),
        ("##\u00a0A heading", 1, "“##” begins no heading"),
        ("a\n\n##\u202fA", 3, "“##” begins no heading"),
        ("#\u200bA", 1, "“#” begins no heading"),
        ("##A heading", 1, "“##” begins no heading"),
        ("\u00a0## A heading", 1, "“##” begins no heading"),
        ("\u00a0:::note\na", 1, "“:::” begins nothing here"),
        ("\u00a0```python\na", 1, "“```” begins nothing here"),
        ("-\u00a0one", 1, "“-” begins no list here"),
        ("a[^1]", 1, "“[^1]” is no footnote"),
        ("a[^1]\n\n[^1]: Dumoulin", 3, "“[^1]:” is no footnote"),
        ("a\n\n[^note]: See the paper", 3, "“[^note]” is no footnote"),
        ("a [Padding](/course/my page/)", 1, "“[Padding](/course/my page/” is no link"),
        ("[Padding](the second lecture)", 1, "is no link"),
        ("[a] (/course/convolution/)", 1, "is no link"),
        ("[a]\n(https://example.org)", 1, "is no link"),
        ("(Padding)[/course/convolution/]", 1, "is no link"),
        ("![a cup](pictures/my cup-1x1.png)", 1, "“![a cup](pictures/my cup-1x1.png” is no link"),
        ("a {{first-cnn.digits}}", 1, "“{{first-cnn.digits}}” quotes nothing"),
        ("## A $ n $", 1, "is no formula"),
        ("- a\n- b <!-- c -->", 2, "“<!--”"),
        (":::note The $n$ of it\na\n:::", 1, "“$n$” is shown as it is typed"),
        ("a\n\n```python\nb", 3, "“```” is not closed, and takes in what follows"),
        ("> ~~~\n> b\n\nc", 1, "“~~~” is not closed"),
        (":::note\n\na[^1]\n:::", 3, "is no footnote"),
        (":::figure sliding-window\na\n[^1]\n:::", 3, "is no footnote"),
        (CHOICE.replace("[Take nine", "['a \\(n\\)', Take nine"), 8, "“\\(n\\)” is no formula"),
    ],
)
def test_markup_that_is_not_read_is_told_at_its_line(text: str, line: int, says: str) -> None:
    found = told(text)
    assert [at for at, message in found if says in message] == [line], found
    assert len(found) == 1 or "[^1]:" in says, "each is told once"


@pytest.mark.parametrize(
    "text",
    [
        *("It costs $5 and $6.", "From $5 to 6$", "5$ and 6$", "5 $ and 6 $", "US$ 5 or US$ 6 x"),
        *("$5-$6", "$HOME and $PATH", "in $ or in €, $ it is", "\\$x\\$ and \\$ y \\$", "a $ b"),
        *("$x$, $y$-z ($n$) *$k$*", "$$\ny = x\n$$", "a\n\n$$ y = x $$\n\nb"),
        *("$\\begin{matrix}a\\end{matrix}$", "`\\(n\\)` `$$` `[^1]` `<!-- a -->` `## a` `{{x}}`"),
        *("```\n\\(n\\) $$ <br> [^1]\n##\u00a0a\n```", "$ab$", "an $ in, an $ out"),
        *("    $$ <br>\n    \\(a\\)", "\\[1\\] and \\[sic\\]", "\\(a", "\\[a\\](b)", "&lt;br&gt;"),
        *("[a] (b)", "[a] (see below)", "x[0](y)", "x[i](a b)", "[0, 1] (closed)", "[a](/b/)"),
        *("[a](/b/ 'title')", "[a](</b c/>)", "![a](pictures/a-1x1.png)", "<https://example.org>"),
        *("a < b and c > d", "<name> and <b>", "for <a> in <b>", "a <- b", "<3", "-->"),
        *("# of filters: a\n".replace("# ", "#"), "C# and F#", "#1 of 3", "a ## b", "\\## a"),
        *("a[^", "[^a-z]", "x^2", "^1", "a\\frac", "C:\\alpha\\beta", "\\d{3}", "2 ** 3 ** 4"),
        *(ROW, f"{ROW}| 1 |", f"{ROW}| $\\|x\\|$ | 3 |", f"{ROW}| # a | $5 |", f"{ROW}| 1 | 2 | |"),
        *("--- | ---", "a\n---", "-\u00a05", "{a}, {{a}", "::: a", "a: b :::", "“```”"),
        *("| a |\n|---|\n| Price in $ |", "| € | $ |\n|---|---|\n| $5 | $6 |", "5.\u00a0May"),
        "{{first-cnn.digits-97.median|%1}}",
        *(":::note\na\n:::", ":::note From $5 to $6\na\n:::", "- ```\n  a\n  ```", "```\n```"),
        *("~~~~\n```\n~~~~~", "> ```\n>\n> ```\n\na"),
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_free(text: str) -> None:
    page = render(file(text, status="draft"))
    assert page.doubts == ()


def test_what_is_no_markdown_is_told_where_it_looks_like_it() -> None:
    source = file("a", status="draft", title="The $n$ of `it`")
    source = source.replace("How wide is a map?", "**Wide**, from $5 to $6")
    found = [(p.line, p.message.partition(" is")[0]) for p in render(source).doubts]
    assert found == [(2, "“$n$”"), (3, "“**Wide**”")]


def test_it_is_asked_about_and_refuses_nothing() -> None:
    source = file("a[^1]", status="draft")
    assert not render(source).problems
    (found,) = problems_in(source, set())
    assert found.is_doubt and "is no footnote" in str(found)


MEANT = st.sampled_from(
    [
        *("$", "$$", "\\(", "\\)", "\\[", "\\]", "\n", " ", "a", "5", "|", "| --- |", "`", "*"),
        *(
            "[",
            "](",
            ")",
            "[^1]",
            "[^1]:",
            "<!--",
            "<b",
            ">",
            "##",
            "\u00a0",
            "{{",
            "}}",
            "\\frac{",
        ),
    ]
)


@given(st.lists(MEANT | st.characters(exclude_categories=["Cs"]), max_size=40).map("".join))
def test_any_text_is_looked_through_and_each_doubt_has_a_line_of_it(text: str) -> None:
    source = file(text)
    last = source.count("\n") + 1
    for doubt in render(source).doubts:
        assert 7 <= doubt.line <= last and not set(doubt.message) & set(
            map(chr, range(0xE000, 0xE008))
        )
