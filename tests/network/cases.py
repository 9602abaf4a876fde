"""Every way in which a call over the network can go wrong: one row each, with what must become of it."""

from __future__ import annotations

import gzip
import json
import socket
from dataclasses import dataclass

from django_sadadpay.gateway.errors import OutcomeUnknown, ReplyTooLarge, SadadError, Unavailable
from tests.gateway import server as s

#: The cap that the table's calls have, and the 100 MB that nobody reads.
CAP = 64 * 1024
HUGE = 100 * 1024 * 1024
GOOD = json.dumps({"isValid": True, "errorKey": None, "response": [1]}).encode()
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DEEP = b'{"isValid": true, "response": ' + b"[" * 5000 + b"]" * 5000 + b"}"


@dataclass(frozen=True)
class Case:
    """What the server does once it has read the request, and the class in which a call of each sort ends.

    A read may be asked again: nothing was done. A write has left this machine: nobody knows.
    """

    name: str
    answer: s.Answer
    read: type[SadadError] = Unavailable
    write: type[SadadError] = OutcomeUnknown
    #: It is ended by the deadline, not by the connection.
    late: bool = False


def half_closed(data: bytes) -> s.Answer:
    """Says so much, then never more: its writing end is shut, its reading end stays open."""

    def answer(connection: socket.socket) -> bool:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
        return False

    return answer


def huge(head: bytes, size: int = HUGE) -> s.Answer:
    """100 MB, or as much of it as the client takes."""

    def answer(connection: socket.socket) -> bool:
        connection.sendall(head)
        for _ in range(size // CAP):
            connection.sendall(b" " * CAP)
        return False

    return answer


def said(value: bytes) -> s.Answer:
    """An envelope whose ``response`` is just these bytes."""
    return s.status(200, b'{"isValid": true, "errorKey": null, "response": ' + value + b"}")


def packed(body: bytes) -> s.Answer:
    return s.status(200, gzip.compress(body), Content_Encoding="gzip")


CASES = (
    # The connection ends
    Case("cut after the request", s.cut),
    Case("torn down after the request", s.reset),
    Case("cut in the status line", s.raw(b"HTTP/1.1 2")),
    Case("cut in the headers", s.raw(b"HTTP/1.1 200 OK\r\nContent-Le")),
    Case("cut in the body", s.raw(s.reply(200, GOOD[:20], length=str(len(GOOD))))),
    Case("cut in a chunk", s.raw(CHUNKED + b"40\r\n" + GOOD[:20])),
    Case("cut in a packed body", s.status(200, gzip.compress(GOOD)[:-9], Content_Encoding="gzip")),
    Case("half-closed before the reply", half_closed(b"")),
    Case("half-closed in the reply", half_closed(s.reply(200, GOOD[:20], length=str(len(GOOD))))),
    # Time
    Case("silence", s.hang, late=True),
    Case("a body that never comes", s.raw(s.reply(200, b"", length="9"), keep=True), late=True),
    Case("headers drip", s.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 9000), late=True),
    Case("the body drips", s.drip(s.reply(200, b" " * 9000)), late=True),
    Case("chunks drip", s.drip(CHUNKED + b"1\r\n \r\n" * 2000), late=True),
    # Too much
    Case("100 MB", huge(s.reply(200, b"", length=str(HUGE))), read=ReplyTooLarge),
    Case("an endless body", s.endless(b"HTTP/1.1 200 OK\r\n\r\n", b" " * CAP), read=ReplyTooLarge),
    Case("endless chunks", s.endless(CHUNKED, b"1\r\n \r\n" * 9000), read=ReplyTooLarge),
    Case("an endless chunk size", s.endless(CHUNKED, b"f" * CAP)),
    Case("endless headers", s.endless(b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n" * 900)),
    Case("an endless header", s.endless(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * CAP)),
    Case("endless trailers", s.endless(CHUNKED + b"0\r\n", b"X-More: x\r\n" * 900), read=ReplyTooLarge),
    Case("endless 100 Continue", s.endless(b"", b"HTTP/1.1 100 C\r\n\r\n" * 900), read=ReplyTooLarge),
    Case("a gzip bomb", packed(b" " * 60_000_000), read=ReplyTooLarge),
    # Not what was asked for
    Case("redirect", s.status(302, GOOD, Location="/api/Product/getbyid")),
    Case("HTML", s.status(200, b"<!doctype html><title>Sign in</title>", Content_Type="text/html")),
    Case("a maintenance page", s.status(503, b"<html>back soon</html>")),
    Case("another protocol", s.raw(b"SSH-2.0-OpenSSH_9.2\r\n")),
    Case("empty", s.status(200)),
    Case("invalid UTF-8", s.status(200, GOOD.replace(b"[1]", b'"\xff\xfe"'))),
    Case("UTF-16", s.status(200, GOOD.decode().encode("utf-16"))),
    Case("half of a JSON", s.status(200, GOOD[:-9])),
    Case("JSON that is no envelope", s.status(200, b'{"message": "An error has occurred."}')),
    Case("NaN", said(b"NaN")),
    Case("Infinity", said(b"-Infinity")),
    Case("a number of 5,000 digits", said(b"1" * 5000)),
    Case("a number with an absurd exponent", said(b"1e999999999")),
    Case("JSON nested 5,000 deep", s.status(200, DEEP)),
    Case("packed in a way not asked for", s.status(200, GOOD, Content_Encoding="br")),
    Case("packed, and it is not", s.status(200, GOOD, Content_Encoding="gzip")),
)

#: Codes with which a server sends a client elsewhere; 307 and 308 would repeat the body there.
REDIRECTS = (301, 302, 303, 307, 308)
