"""The broker's transport, deaf to all but bells.

Celery's own falls over a message that it cannot read, and its worker ends; the message goes back to
the queue, for the next worker to fall over. Here each message is read first. One that is a bell is
made anew from the few facts that it may carry; anything else is logged and dropped.
"""

from __future__ import annotations

import base64
import json
import logging
import uuid
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

from labs.lab import LANES

log = logging.getLogger(__name__)

TASK = "workers.tasks.work"
LONGEST_BODY = 2_000


def _read(message: Any) -> tuple[str, str, bool]:
    """Lane, id, and whether it was delivered before. Raises anything where it is no bell."""
    headers, properties = message["headers"], message["properties"]
    if headers["task"] != TASK or message["content-type"] != "application/json":
        raise ValueError("another task, or not JSON")
    if properties["body_encoding"] != "base64" or len(message["body"]) > LONGEST_BODY:
        raise ValueError("too long")
    (lane,), kwargs, more = json.loads(base64.b64decode(message["body"], validate=True))
    if lane not in LANES or kwargs or any(more.values()):
        raise ValueError("more than a lane of ours")
    again = properties["delivery_info"].get("redelivered") is True
    return lane, str(uuid.UUID(headers["id"])), again


def bell_in(message: Any, queue: str) -> dict[str, Any] | None:
    """The bell that a message holds, made anew; None, and a line in the log, where it is none."""
    try:
        lane, named, again = _read(message)
    except Exception as error:
        log.error("a message in %s was no bell (%s): %.200r", queue, error, message)
        return None
    body = base64.b64encode(json.dumps([[lane], {}, {}]).encode()).decode()
    return {
        "body": body,
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"lang": "py", "task": TASK, "id": named, "ignore_result": True},
        "properties": {
            "correlation_id": named,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue, "redelivered": again},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }


class Channel(redis.Channel):
    def _create_client(self, asynchronous: bool = False) -> Any:
        """A client, where the channel still has a connection.

        A task may end after the connection that brought its message was lost. Its late word to the
        broker must fail as a lost connection does: that is logged, anything else ends the worker.
        """
        if self.connection is None or self.connection.client is None:
            raise ConnectionError("this channel's connection was lost")
        return super()._create_client(asynchronous)  # type: ignore[no-untyped-call]

    def _brpop_read(self, **options: Any) -> Any:
        self.connection.is_read = False
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except (Empty, *self.connection_errors):
            raise
        except Exception as error:
            if self.connection.is_read:
                raise
            log.error("a message was no bell, and not even JSON: %s", error)
            return False


class Transport(redis.Transport):
    Channel = Channel
    is_read = False

    def _deliver(self, message: Any, queue: str) -> None:
        self.is_read = True
        if queue in LANES:  # others carry what an operator asks of the worker (`inspect ping`)
            message = bell_in(message, queue)
        if message is not None:
            super()._deliver(message, queue)  # type: ignore[no-untyped-call]


def use() -> None:
    """Have Celery reach Redis through this transport."""
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), f"{__name__}:Transport"))
