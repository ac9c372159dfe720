"""The line `status:` of a front matter, which the buttons of the desk set."""

from __future__ import annotations

import pytest

from courses.front import read, with_status

OTHER = "title: T\nsummary: S.\nminutes: 5"


@pytest.mark.parametrize(
    "head",
    [
        f"{OTHER}\nstatus: draft",
        f"status: draft\n{OTHER}",
        f"status: 'draft'  # not yet\n{OTHER}",
        f"status:\n  draft\n{OTHER}",
        f"status: >-\n  draft\n\n{OTHER}",
        f'"status": draft\n{OTHER}',
        f"status: published\nstatus: draft\n{OTHER}",
        "{title: T, summary: S., minutes: 5, status: draft}",
        "{title: T, status:\n  draft, summary: S., minutes: 5}",
    ],
)
@pytest.mark.parametrize("below", ["\nstatus: draft, it says.\n", ""])
@pytest.mark.parametrize("space", ["", " \t"])
def test_any_front_matter_takes_another_status_and_keeps_the_rest(
    head: str, below: str, space: str
) -> None:
    source = f"---{space}\n{head}\n---{space}{below}"
    before, after = read(source), read(with_status(source, "published"))
    assert before.front is not None and after.front is not None
    assert after.front == before.front.model_copy(update={"status": "published"})
    assert after.text == before.text
    if "# not yet" in head:
        assert after.head == head.replace("'draft'", "published")
