"""The course that ships: whole, checked, executed, and the same in files and in rows."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from courses import code
from courses.check import problems_in
from courses.content import CONTENT, LectureFile, sections_in
from courses.markdown import render
from courses.models import Lecture, Picture, Section
from tests.courses.specimen import CHOICE, TEXT, file
from tests.needs import not_run
from tools.processes import ROOT

SECTIONS = list(sections_in())
FILES = {f"{s.slug}/{f.slug}": f for s in SECTIONS for f in s.lectures}
LECTURES = [pytest.param(f, id=name) for name, f in FILES.items()]
WITH_CODE = [pytest.param(f, id=name) for name, f in FILES.items() if "```python" in f.source]
PLACES = {f"/course/{s.slug}/" for s in SECTIONS} | {
    f"/course/{s.slug}/{f.slug}/" for s in SECTIONS for f in s.lectures
}
PAGE = ROOT.parent / "shared" / "seed" / "course-page.txt"


def test_sections_and_their_lectures_are_numbered_without_a_gap() -> None:
    assert [section.number for section in SECTIONS] == list(range(1, len(SECTIONS) + 1))
    for section in SECTIONS:
        numbers = [f.number for f in section.lectures]
        assert numbers and numbers == list(range(1, len(numbers) + 1)), section.slug


def test_there_is_something_to_read() -> None:
    assert any(is_ready(lecture) for lecture in FILES.values())


def is_ready(lecture: LectureFile) -> bool:
    front = render(lecture.source).front
    return front is not None and front.status == "published"


@pytest.mark.parametrize("lecture", LECTURES)
def test_nothing_is_wrong_in_a_lecture(lecture: LectureFile) -> None:
    assert [f"{p.line}: {p}" for p in problems_in(lecture.source, PLACES)] == []


@pytest.mark.slow
@pytest.mark.xdist_group("lecture code")  # whose libraries are loaded once
@pytest.mark.parametrize("lecture", WITH_CODE)
def test_the_code_of_a_lecture_prints_what_it_shows(lecture: LectureFile) -> None:
    assert [f"{p.line}: {p}" for p in code.run(render(lecture.source).blocks)] == []


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


@pytest.mark.parametrize("lecture", LECTURES)
def test_no_ten_words_in_a_row_are_those_of_the_page_it_grew_from(lecture: LectureFile) -> None:
    if not PAGE.is_file():
        not_run("page", f"the page that the course grew from is not in {PAGE}")
    taken, ours = words(PAGE.read_text()), words(lecture.source)
    theirs = {tuple(taken[n : n + 10]) for n in range(len(taken) - 9)}
    assert [run for n in range(len(ours) - 9) if (run := tuple(ours[n : n + 10])) in theirs] == []


# --- files and rows


def load(content: Path = CONTENT, **options: object) -> str:
    said = io.StringIO()
    call_command("load_course", content=content, stdout=said, **options)
    return said.getvalue()


def dump(content: Path, **options: object) -> str:
    said = io.StringIO()
    call_command("dump_course", content=content, stdout=said, **options)
    return said.getvalue()


def check(content: Path) -> str:
    said = io.StringIO()
    with contextlib.suppress(CommandError):
        call_command("check_course", content=content, stdout=said)
    return said.getvalue()


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in (".md", ".toml")
    }


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A course of one section and two lectures."""
    folder = tmp_path / "course" / "05-convolution"
    folder.mkdir(parents=True)
    (folder / "section.toml").write_text('title = "Convolution"\nsummary = "A “window”."\n')
    (folder / "01-window.md").write_text(file(TEXT))
    (folder / "02-stride.md").write_text(file("", status="draft", title="Stride"))
    return folder.parent


@pytest.mark.django_db
def test_every_lecture_goes_in_and_out_byte_for_byte(tmp_path: Path) -> None:
    number = len(FILES)
    assert f"{number} lectures: {number} new." in load()
    dump(tmp_path)
    assert bytes_of(tmp_path) == bytes_of(CONTENT)
    assert f"{number} lectures: {number} the same." in load()


@pytest.mark.django_db
def test_odd_bytes_survive_the_way_in_and_out(content: Path, tmp_path: Path) -> None:
    odd = file("a \t\n\n\n  trailing  \n\u202f\u2028é\U0001f40c\n\n") + "no line end"
    (content / "05-convolution" / "01-window.md").write_bytes(odd.encode())
    load(content)
    out = tmp_path / "out"
    dump(out)
    assert bytes_of(out) == bytes_of(content)


@pytest.mark.django_db
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_are_made_one_kind_and_nothing_else_is_touched(content: Path, mark: str) -> None:
    """What Windows writes, load_course and check_course read alike."""
    folder = content / "05-convolution"
    text = file("a  \nb\ufeffc\n", status="draft").replace("---\n", "--- \n")
    (folder / "01-window.md").write_bytes((mark + text.replace("\n", "\r\n")).encode())
    about = (folder / "section.toml").read_text()
    (folder / "section.toml").write_bytes((mark + about.replace("\n", "\r\n")).encode())
    assert "nothing is wrong" in check(content)
    load(content)
    assert Lecture.objects.get(slug="window").source == text
    assert "2 the same" in load(content)


@pytest.mark.django_db
def test_what_systems_and_editors_hide_beside_a_file_is_no_part_of_the_course(
    content: Path, tmp_path: Path
) -> None:
    folder = content / "05-convolution"
    pictures = folder / "pictures"
    pictures.mkdir()
    (folder / "02-stride.md").write_text(file("![a](pictures/._cat-1x1.png)", status="draft"))
    (folder / "01-window.md").write_text(file("a", status="draft"))
    for hidden in ("._01-window.md", ".02-stride.md.swp", ".x.md", "pictures/._cat-1x1.png"):
        (folder / hidden).write_bytes(b"\x00\x05\x16\x07")
    (folder / ".#01-window.md").symlink_to("ada@laptop.4711")
    (content / ".trash").mkdir()
    (content / ".trash" / "section.toml").write_text("")
    (content / ".trash" / "01-old.md").write_text("")
    assert "2 lectures: 2 new." in load(content)
    assert not Picture.objects.exists()
    assert "is not one of the course's own" in check(content)
    assert "no lecture of the site" not in dump(content)


@pytest.mark.django_db
def test_what_was_edited_here_is_kept_named_and_shown(content: Path) -> None:
    load(content)
    row = Lecture.objects.get(slug="window")
    assert row.rewrite(row.source.replace("A window slides.", "A window glides."), row.version)
    path = content / "05-convolution" / "01-window.md"
    path.write_text(path.read_text().replace("A window slides.", "A window hops."))
    said = load(content)
    assert "convolution/window was edited here, and is kept." in said
    assert "-A window glides." in said and "+A window hops." in said
    assert "glides" in Lecture.objects.get(slug="window").source
    assert "1 changed" in load(content, overwrite=["convolution/window"])
    row.refresh_from_db()
    assert "hops" in row.source and "hops" in row.published
    assert [h for h in row.history.all() if "glides" in h.source], "the history has what it was"


@pytest.mark.django_db
def test_a_file_that_changes_changes_the_row_that_nobody_has_edited(content: Path) -> None:
    load(content)
    path = content / "05-convolution" / "02-stride.md"
    path.write_text(file("Now.", title="Stride"))
    assert "1 changed" in load(content)
    row = Lecture.objects.get(slug="stride")
    assert row.is_published and row.published == row.source
    path.write_text(file("Now.", status="draft", title="Stride"))
    load(content)
    row.refresh_from_db()
    assert not row.is_published


@pytest.mark.django_db
def test_a_section_that_was_edited_here_is_kept(content: Path) -> None:
    load(content)
    Section.objects.filter(slug="convolution").update(title="Windows")
    (content / "05-convolution" / "section.toml").write_text('title = "New"\nsummary = "s"\n')
    assert "The section convolution was edited here, and is kept." in load(content)
    assert Section.objects.get().title == "Windows"


@pytest.mark.django_db
def test_a_section_that_was_edited_here_can_be_taken_from_its_file(content: Path) -> None:
    load(content)
    Section.objects.filter(slug="convolution").update(title="Windows")
    load(content, overwrite=["convolution"])
    assert Section.objects.get().title == "Convolution"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["convolution/windov", "window", "05-convolution"])
def test_to_overwrite_what_is_no_file_is_refused(content: Path, name: str) -> None:
    load(content)
    with pytest.raises(CommandError, match=f"No file is there for {name}"):
        load(content, overwrite=["convolution/window", name])


@pytest.mark.django_db
def test_a_section_whose_edit_became_the_file_is_edited_no_more(content: Path) -> None:
    load(content)
    Section.objects.filter(slug="convolution").update(title="Windows")
    about = content / "05-convolution" / "section.toml"
    for title in ("Windows", "New"):
        about.write_text(f'title = "{title}"\nsummary = "A “window”."\n')
        assert "was edited here" not in load(content)
        assert Section.objects.get().title == title


@pytest.mark.django_db
def test_the_order_of_files_is_the_order_here_unless_it_was_edited_here(content: Path) -> None:
    load(content)
    folder = content / "05-convolution"
    (folder / "01-window.md").rename(folder / "20-window.md")
    assert "1 changed" in load(content)
    row = Lecture.objects.get(slug="window")
    assert row.number == 20 and not row.is_edited
    row.renumber(3)
    said = load(content)
    assert "was edited here, and is kept" in said and "number is 3 here, and 20 there" in said
    assert "1 changed" in load(content, overwrite=["convolution/window"])
    row.refresh_from_db()
    assert row.number == 20


BROKEN = file(CHOICE.replace("right:", "wrong:"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("section.toml", "title = 1\n", "must hold title"),
        ("section.toml", "title = \n", "cannot be read"),
        ("section.toml", b'title = "caf\xe9"\n', "section.toml:1 is no UTF-8 text"),
        ("window.md", file("a"), "has no number and slug"),
        ("00-first.md", file("a"), "has no number and slug"),
        ("03-Window.md", file("a"), "has no number and slug"),
        ("03-latin.md", b"---\ntitle: caf\xe9\n---\n", "03-latin.md:2 is no UTF-8 .* as UTF-8"),
        ("03-wide.md", "---\ntitle: a\n---\n".encode("utf-16"), "03-wide.md:1 is no UTF-8 text"),
        ("03-nul.md", file("a\n\0", status="draft"), "03-nul.md:8: A character NUL stands here"),
        ("01-other.md", file("a"), "two lectures of one number"),
        ("03-window.md", file("a"), "two lectures of one slug"),
        ("../Extra/section.toml", "", "Extra has no number and slug"),
        ("01-window.md", "---\ntitle: a\n---\n", "Nothing was brought in"),
        ("01-window.md", BROKEN, r"01-window.md:\d+: The question “edge”"),
    ],
)
def test_a_folder_that_cannot_be_read_changes_nothing(
    content: Path, name: str, text: str | bytes, says: str
) -> None:
    path = content / "05-convolution" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CommandError, match=says):
        load(content)
    assert not Lecture.objects.exists()


@pytest.mark.django_db
def test_what_students_are_shown_already_keeps_nothing_out(content: Path) -> None:
    """After an update the renderer may find more at fault: the site starts all the same."""
    load(content)
    Lecture.objects.filter(slug="window").update(source=BROKEN, published=BROKEN)
    (content / "05-convolution" / "01-window.md").write_text(BROKEN)
    assert "2 the same" in load(content)


@pytest.mark.django_db
def test_what_the_folder_lacks_is_named(content: Path, tmp_path: Path) -> None:
    load(content)
    (content / "05-convolution" / "02-stride.md").unlink()
    assert "convolution/stride is here, and in no file" in load(content)
    stranger = tmp_path / "out" / "05-convolution" / "09-old.md"
    stranger.parent.mkdir(parents=True)
    stranger.write_text(file("a"))
    assert "09-old.md is no lecture of the site" in dump(tmp_path / "out")
    assert stranger.is_file()


# --- check_course


def test_a_path_without_a_lecture_is_an_error(content: Path, tmp_path: Path) -> None:
    said = io.StringIO()
    folder = content / "05-convolution"
    for named in (folder, folder / "01-window.md"):
        with pytest.raises(CommandError, match="Problems"):
            call_command("check_course", named, content=content, stdout=said)
    call_command("check_course", folder / "02-stride.md", content=content, stdout=said)
    assert "1 lectures, and nothing is wrong" in said.getvalue()
    other = folder / "notes.txt"
    other.write_text("a")
    for files, place in [([other], content), ([tmp_path / "no.md"], content), ([], tmp_path)]:
        with pytest.raises(CommandError, match="is no lecture of the course"):
            call_command("check_course", *files, content=place)
    with pytest.raises(CommandError, match="No such file"):
        call_command("check_course", content=tmp_path / "nowhere")


@pytest.mark.xdist_group("lecture code")
def test_check_course_says_file_line_and_what_to_do(content: Path) -> None:
    path = content / "05-convolution" / "01-window.md"
    path.write_text(file("[a](/course/nowhere/)\n\n```python\n1 / 0\n```\n", status="draft"))
    said = io.StringIO()
    with pytest.raises(CommandError, match="Problems: 2"):
        call_command("check_course", content=content, stdout=said)
    lines = said.getvalue().splitlines()
    assert lines[0].startswith(f"{path}:7: The link “/course/nowhere/” leads nowhere. Write")
    assert lines[1].startswith(f"{path}:9: This Python block fails: ZeroDivisionError")
