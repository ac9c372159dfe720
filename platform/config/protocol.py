"""uvicorn's HTTP by httptools, with a bound on a request's head, which httptools has not."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 65_536
TOO_LARGE = (
    b"The headers of this request are larger than 64 kB. Clear this site's cookies, if you can.\n"
)
ANSWER = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(TOO_LARGE), TOO_LARGE)
)


class HeadTooLarge(Exception):
    """Raised within the parser, which stops at it."""


class Protocol(HttpToolsProtocol):
    """Counts what came since something came of it: that bounds a head, and what may stand between
    and behind the chunks of a body (their extensions, trailers), whatever pieces it comes in.

    The piece in which a message begins is not counted: one read of the socket, at most 256 kB, is
    the most that is kept beyond the bound.
    """

    idle_bytes = 0
    is_too_large = False

    def data_received(self, data: bytes) -> None:
        self.idle_bytes += len(data)
        super().data_received(data)
        if self.idle_bytes > LARGEST_HEAD and not self.transport.is_closing():
            self.is_too_large = True
            self.send_400_response("")

    def on_message_begin(self) -> None:
        self.idle_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.idle_bytes = 0
        if (
            len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            > LARGEST_HEAD
        ):
            self.is_too_large = True
            raise HeadTooLarge
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self.idle_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.idle_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """uvicorn's answer to what it cannot read; ours to what is too large. Both close."""
        if not self.is_too_large:
            super().send_400_response(msg)
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(ANSWER)
        self.transport.close()
