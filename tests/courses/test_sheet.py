"""A page with holes: filled, and sent as one gzip stream that was put together."""

from __future__ import annotations

import gzip
from typing import Any

from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from courses.sheet import Sheet, mark

TEXT = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=400)


def sent(sheet: Sheet, own: dict[str, str], accepts: str) -> Any:
    return sheet.response(RequestFactory().get("/", headers={"Accept-Encoding": accepts}), own)


@given(st.lists(TEXT, min_size=1, max_size=5), TEXT, TEXT, st.integers(1, 400))
def test_any_page_comes_out_of_its_gzip_stream_as_it_was(
    parts: list[str], mine: str, common: str, times: int
) -> None:
    text = f"{mark('mine')}{mark('all')}".join(parts) + mark("nothing")
    sheet = Sheet(text, {"all": f"<{common}{mark('mine')}>"})
    own = {"mine": mine * times}
    expected = f"{own['mine']}<{common}{own['mine']}>".join(parts)
    assert sheet.fill(own) == expected
    packed = sent(sheet, own, "gzip, deflate, br")
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content).decode() == expected


def test_who_takes_no_gzip_gets_none() -> None:
    for accepts in ("", "br", "gzip;q=0", "identity, gzip; q=0.0"):
        assert "Content-Encoding" not in sent(Sheet("a", {}), {}, accepts)


def test_what_a_reader_has_stands_before_what_all_have() -> None:
    sheet = Sheet(f"{mark('name')}!", {"name": "nobody"})
    assert (sheet.fill({}), sheet.fill({"name": "alice"})) == ("nobody!", "alice!")
