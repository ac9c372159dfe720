"""A clean copy of an uploaded picture, decoded in a process of its own with limits."""

from collections.abc import Iterator

from labs.context import Context
from labs.data.decode import rebuild
from labs.events import Event
from labs.params import Params


def run(params: Params, ctx: Context) -> Iterator[Event | None]:
    """Read "upload", write "picture.png" (RGB, no metadata). Raises LabError for what is refused.

    The upload goes in any case: it may tell where a picture was taken.
    """
    yield None
    try:
        clean = rebuild(ctx.artifacts.read("upload"))
    finally:
        ctx.artifacts.delete("upload")
    ctx.artifacts.write("picture.png", clean)
