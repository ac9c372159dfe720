"""Formulas: KaTeX turns TeX into MathML when a lecture is rendered, so that pages need no script.

KaTeX runs in QuickJS, inside this process, with bounds on memory and time, and once a process: it
takes 3 MB. Browsers draw MathML themselves; static/vendor/fonts/math.woff2 has the signs.
"""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from django.conf import settings

from courses.kept import kept

KATEX = "vendor/katex/katex.min.js"
LONGEST = 2_000
CALL = """function convolab(tex, display) {
  try {
    const bounds = {trust: false, maxExpand: 200, maxSize: 20};
    const options = {displayMode: display, output: "mathml", strict: "ignore", ...bounds};
    return JSON.stringify([katex.renderToString(tex, options), ""]);
  } catch (fault) { return JSON.stringify(["", String(fault.message)]); }
}"""
local = threading.local()  # a QuickJS context belongs to the thread that made it


class BadFormula(ValueError):
    """What KaTeX says of a formula that it cannot read."""


@kept
def mathml(tex: str, display: bool = False) -> str:
    """MathML of a formula. Raises BadFormula."""
    if len(tex) > LONGEST:
        raise BadFormula(f"A formula may have {LONGEST} characters")
    made, fault = _katex(tex, display)
    if fault:
        raise BadFormula(fault.removeprefix("KaTeX parse error: "))
    return _in_letters(re.sub(r"^<span class=\"katex(?:-display)?\">|</span>$", "", made))


VARIANT = re.compile(r'(<m[ino]) mathvariant="([a-z-]+)">([^<]*)<')
APPLIED = re.compile(r"<mo>\u2061</mo>(?!<mo[^>]*>[(\[{])")
"""A function such as ln that is applied to what follows: TeX leaves a thin space there."""
ALPHABETS = {
    "bold": (0x1D400, 0x1D41A, 0x1D7CE),
    "bold-italic": (0x1D468, 0x1D482, 0),
    "script": (0x1D49C, 0, 0),
    "double-struck": (0x1D538, 0x1D552, 0x1D7D8),
}
"""Where Unicode has the capitals, the small letters and the digits of each."""
OLDER = {
    "script": dict(zip("BEFHILMR", "ℬℰℱℋℐℒℳℛ", strict=True)),
    "double-struck": dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)),
}
"""Letters that Unicode had before these alphabets."""


def _in_letters(made: str) -> str:
    """Bold, script and double-struck as letters of their own: browsers know no `mathvariant`."""

    def put(found: re.Match[str]) -> str:
        tag, variant, text = found.groups()
        if variant not in ALPHABETS:
            return found[0]
        return f"{tag}>{''.join(_letter(c, variant) for c in text)}<"

    return APPLIED.sub(r'\g<0><mspace width="0.17em"></mspace>', VARIANT.sub(put, made))


def _letter(c: str, variant: str) -> str:
    if c in OLDER.get(variant, ()):
        return OLDER[variant][c]
    for first, last, start in zip("Aa0", "Zz9", ALPHABETS[variant], strict=True):
        if start and first <= c <= last:
            return chr(start + ord(c) - ord(first))
    return c


def _katex(tex: str, display: bool) -> tuple[str, str]:
    """What KaTeX makes of a formula, and what it finds wrong with it.

    Asked by the main thread it runs there, and a process of one thread keeps having one, which may
    fork. The other threads share one that is KaTeX's own.
    """
    if threading.current_thread() is threading.main_thread():
        return _asked(tex, display)
    return _thread().submit(_asked, tex, display).result()


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="katex")


def _asked(tex: str, display: bool) -> tuple[str, str]:
    import _quickjs as quickjs  # `quickjs` itself starts a thread for a class that we do not use

    if not hasattr(local, "katex"):
        context: Any = quickjs.Context()
        context.set_memory_limit(64_000_000)
        context.eval(_source())
        context.eval(CALL)
        context.set_time_limit(2)
        local.context, local.katex = context, context.get("convolab")
    try:
        made, fault = json.loads(local.katex(tex, display))
    except quickjs.JSException:
        raise BadFormula("The formula takes too long or too much memory to read") from None
    return made, fault


def _source() -> str:
    path = settings.BASE_DIR / "static" / KATEX
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there. `make ready` brings it.")
    return path.read_text(encoding="utf-8")
