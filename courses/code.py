"""Code in a lecture: highlighted for the page, and executed by the tests and by check_course.

Blocks marked `python` run one after the other, as cells of one notebook; what a block prints is
compared with the block marked `output` right below it. `python error` is meant to fail: its output
is the last line of the traceback.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from courses import notebook
from courses.front import Problem

if TYPE_CHECKING:
    from courses.markdown import Builder

SECONDS = 300
MOST_COLOURED = 5_000
"""Characters. Some languages take time by the square of a block's length: 0.4 s for this one."""


@dataclass(frozen=True)
class Block:
    """A Python block: its line in the file, its code, and what it is to print."""

    line: int
    code: str
    output: str | None = None
    fails: bool = False


def fence(tokens: list[Token], n: int, builder: Builder) -> str:
    """HTML of a code block; a Python block is noted, with the output that follows it."""
    token = tokens[n]
    language, _, more = token.info.strip().partition(" ")
    if language == "output":
        before = tokens[n - 1] if n else None
        if before is None or before.info.strip().partition(" ")[0] != "python":
            todo = "Put the output right below the Python block that prints it."
            builder.problem(token.meta["line"], "An output without its code", todo)
        return f'<pre class="output" tabindex="0"><code>{escape(token.content)}</code></pre>'
    if language == "python":
        after = tokens[n + 1] if n + 1 < len(tokens) else None
        shown = after.content if after is not None and after.info.strip() == "output" else None
        builder.blocks.append(Block(token.meta["line"], token.content, shown, more == "error"))
    return _highlighted(token.content, language)


def _highlighted(text: str, language: str) -> str:
    try:
        known = language if len(text) <= MOST_COLOURED else ""
        lexer = get_lexer_by_name(known or "text", stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False)
    marked = highlight(text, lexer, HtmlFormatter(nowrap=True))
    return (
        f'<div class="code"><pre tabindex="0"><code class="{escape(lexer.aliases[0])}">'
        f"{marked}</code></pre></div>"
    )


FORKS = multiprocessing.get_context("forkserver")
"""Gives processes of one that has loaded what lectures import, and nothing of this one."""
FORKS.set_forkserver_preload([notebook.LIBRARIES])


def run(blocks: Iterable[Block]) -> Iterator[Problem]:
    """Run a lecture's blocks in a process of their own; say which fail or print something else."""
    blocks = list(blocks)
    if not blocks:
        return
    with TemporaryDirectory() as name:
        results, errors = Path(name, "results"), Path(name, "errors")
        sent = [(block.line, block.code) for block in blocks]
        process = FORKS.Process(target=notebook.execute, args=(sent, results, errors))
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            todo = "Make them smaller."
            yield Problem(blocks[0].line, f"The Python blocks ran for {SECONDS} s", todo)
            return
        said = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
        told = errors.read_text(encoding="utf-8", errors="replace")[-300:]
    for block, (printed, fault) in zip(blocks, said, strict=False):
        yield from _compared(block, printed, fault)
    if len(said) < len(blocks):
        yield Problem(blocks[len(said)].line, "This Python block ended the interpreter", told)


def _compared(block: Block, printed: str, fault: str) -> Iterator[Problem]:
    if fault and not block.fails:
        yield Problem(block.line, f"This Python block fails: {fault}", "Mend it.")
        return
    if block.fails and not fault:
        yield Problem(block.line, "This block was to fail, and did not", "Drop `error`.")
        return
    shown = (printed + (f"{fault}\n" if fault else "")).rstrip()
    if block.output is None and printed.strip():
        todo = f"Put a block ```output below it with: {shown[:400]}"
        yield Problem(block.line, "This block prints something that the page does not show", todo)
    elif block.output is not None and shown != block.output.rstrip():
        todo = f"It prints: {shown[:800]}"
        yield Problem(block.line, "The output shown is not what this block prints", todo)
