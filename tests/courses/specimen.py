"""Lectures for tests: a file of any front matter and text."""

from __future__ import annotations

from courses.models import Lecture, Section

NUMERIC = """\
:::question numeric width
let:
  n: 20..64
  k: [3, 5]
ask: A window of {{k}} pixels moves over {{n}}. At how many places does it stand?
answer: n - k + 1
unit: places
tolerance: 0
traps:
  - answer: n - k
    says: The place where it begins counts too.
hints: ["It can move by {{n - k}} pixels.", "Add one for the first place."]
solution: "{{n}} − {{k}} + 1 = {{answer}}."
:::
"""
CHOICE = """\
:::question choice edge
ask: Which sum of weights gives 0 on an even stretch?
options:
  - right: "0"
    says: Equal pixels times weights that add up to 0 give 0.
  - wrong: "1"
    says: That keeps the pixel as it is.
hints: [Take nine equal pixels.]
solution: The weights add up to 0.
:::
"""
SHAPE = """\
:::question shape maps
let: {f: [8, 16], n: 20..40}
ask: "{{f}} kernels of 3×3 on an input of 1×{{n}}×{{n}}: the shape?"
answer: [f, n - 2, n - 2]
traps:
  - answer: [f, n, n]
    says: Without padding the map is smaller.
hints: [First the number of maps.]
solution: "{{answer}}"
:::
"""
TEXT = f"## How wide?\n\nA window slides.\n\n{NUMERIC}\n{CHOICE}\n{SHAPE}"


def file(text: str = TEXT, status: str = "published", title: str = "A window", **more: str) -> str:
    """A lecture's file; `more` are further lines of its front matter, as YAML."""
    lines = [f'title: "{title}"', 'summary: "How wide is a map?"', "minutes: 5"]
    lines += [f"status: {status}", *(f"{name}: {value}" for name, value in more.items())]
    return "\n".join(["---", *lines, "---", text])


def lecture(text: str = TEXT, slug: str = "window", number: int = 1, **front: str) -> Lecture:
    """A lecture in the section "convolution", as load_course would bring it."""
    section, _ = Section.objects.get_or_create(
        slug="convolution",
        defaults={"number": 5, "title": "Convolution", "summary": "What a window sees."},
    )
    made = Lecture(section=section, slug=slug, number=number, source=file(text, **front))
    made.published = made.source if front.get("status", "published") == "published" else ""
    made.save()
    return made
