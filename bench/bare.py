"""The least that can send the same bytes: an ASGI app without a framework, for bench/viewers.py.

Every viewer gets the same message of SIZE bytes RATE times a second, until SECONDS have passed.
"""

import asyncio
import os
import time

SIZE = int(os.environ.get("BARE_SIZE", "3000"))
RATE = int(os.environ.get("BARE_RATE", "5"))
SECONDS = int(os.environ.get("BARE_SECONDS", "20"))
viewers: set[asyncio.Queue[bytes]] = set()
clock: set[asyncio.Task[None]] = set()


async def tick() -> None:
    began = time.monotonic()
    for n in range(RATE * SECONDS):
        await asyncio.sleep(max(0, began + n / RATE - time.monotonic()))
        said = f"[{n} {time.time():.6f}] ".encode()
        message = b"id: 1-%d\ndata: " % n + said + b"x" * (SIZE - len(said)) + b"\n\n"
        for queue in viewers:
            queue.put_nowait(message)
    for queue in viewers:
        queue.put_nowait(b"")


async def application(scope, receive, send):  # type: ignore[no-untyped-def]
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"text/event-stream")]
    if scope["path"] == "/go":
        clock.add(asyncio.create_task(tick()))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    viewers.add(queue)
    while message := await queue.get():
        await send({"type": "http.response.body", "body": message, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
