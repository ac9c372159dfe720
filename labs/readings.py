"""What a typed answer can mean: numbers and shapes, as people all over write them.

"1,609" is 1609 to one reader and 1.609 to another, so a number has readings; whoever marks it takes
the one that fits. Nothing here knows what is right.
"""

from __future__ import annotations

import math
import re
import unicodedata

LONGEST = 200

SUPERSCRIPTS = "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
SIGNS = {
    **dict.fromkeys("‐‑‒–—−﹣－", "-"),
    **dict.fromkeys("＋﹢", "+"),
    **dict.fromkeys("’‘ʼ′＇´`", "'"),
    **dict.fromkeys("⁄∕／", "/"),
    **dict.fromkeys("，٬、", ","),
    **dict.fromkeys("．٫", "."),
    **dict.fromkeys("％٪", "%"),
    **dict.fromkeys("×✕✖⨯∗*·⋅∙•XхХ", "x"),
}
"""What stands for what. The dashes begin a negative number, or an exponent."""
PLAIN = str.maketrans(SIGNS)
POWER = re.compile(f"[{SUPERSCRIPTS}]+")
ORDINARY = str.maketrans(SUPERSCRIPTS, "+-0123456789")
INVISIBLE = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff]")

GROUPED = re.compile(
    r"([1-9][0-9]{0,2}(?P<by>[ '_,.])[0-9]{3}(?:(?P=by)[0-9]{3})*"
    r"|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3})(?:([.,])([0-9]*))?"
)
"""Thousands apart: 1,234,567.5; 1.234.567,5; 1'234; 1 234; and 12,34,567 as in India."""
UNGROUPED = re.compile(r"[0-9]+[.,]?[0-9]*|[.,][0-9]+")
SCALED = re.compile(
    r"(?P<sign>[+-]?) ?(?P<front>[0-9.,'_ ]*?)"
    r" ?(?:e(?P<e>[+-]?[0-9]{1,4})|(?P<times>x? ?)10\^ ?(?P<ten>[+-]?[0-9]{1,4}))?",
    re.IGNORECASE,
)
SIDE = re.compile("0|[1-9][0-9]{0,5}")
SHAPE_NAME = re.compile(r"(?:torch\.)?(?:size|tensorshape)(?=[(\[])", re.IGNORECASE)


def numbers(text: str) -> tuple[float, ...]:
    """Every number that the text can mean, the likeliest first; none where it is no number.

    One comma or full stop before exactly three digits can part thousands or begin the decimals.
    "50 %" is 50, and "1/3" a third.
    """
    plain = _plain(text).rstrip("% ")
    parts = [_scaled(part.strip()) for part in plain.split("/")]
    if len(parts) == 1:
        found = parts[0]
    elif len(parts) == 2:
        found = [above / below for above in parts[0] for below in parts[1] if below]
    else:
        found = []
    return tuple(dict.fromkeys(value for value in found if math.isfinite(value)))


def shape(text: str) -> tuple[int, ...] | None:
    """Whole numbers between ×, commas or spaces, with or without brackets and `torch.Size`.

    Between ×, thousands may stand apart: "1,024×28".
    """
    inner = SHAPE_NAME.sub("", _plain(text)).strip("()[] ,;")
    sides = [_whole(side) for side in re.split(" ?x ?", inner, flags=re.IGNORECASE)]
    if len(sides) == 1 or not all(map(SIDE.fullmatch, sides)):
        sides = re.split(" ?[x,;] ?| ", inner, flags=re.IGNORECASE)
    return tuple(map(int, sides)) if all(map(SIDE.fullmatch, sides)) else None


def _whole(text: str) -> str:
    grouped = GROUPED.fullmatch(text)
    return re.sub("[^0-9]", "", text) if grouped and not grouped[3] else text


def _plain(text: str) -> str:
    """One kind of digit, of space, of dash; "10⁻³" as "10^-3"."""
    text = POWER.sub(lambda found: f"^{found[0].translate(ORDINARY)}", text[:LONGEST])
    text = INVISIBLE.sub("", text.translate(PLAIN))
    text = "".join(str(unicodedata.decimal(c, c)) for c in text)
    return re.sub(r"\s+", " ", text).strip()


def _scaled(text: str) -> list[float]:
    """A number that a power of ten may follow: "−0.5", "2e-3", "2.1 × 10⁻⁵", "10⁻³"."""
    found = SCALED.fullmatch(text)
    if found is None or bool(found["times"]) > bool(found["front"]):
        return []
    power = f"e{found['e'] or found['ten'] or 0}"
    fronts = _written(found["front"]) if found["front"] or not found["ten"] else ["1"]
    return [float(f"{found['sign']}{front}{power}") for front in fronts]


def _written(text: str) -> list[str]:
    """Digits as people part them, as Python writes them: the likeliest first."""
    found: list[str] = []
    grouped = GROUPED.fullmatch(text)
    if grouped and grouped[3] != (grouped["by"] or ","):
        whole = re.sub("[^0-9]", "", grouped[1])
        found.append(f"{whole}.{grouped[4] or 0}")
    if UNGROUPED.fullmatch(text):
        found.append(text.replace(",", "."))
    return found if "," in text else found[::-1]
