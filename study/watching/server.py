"""The web server of `study watch`: a read-only page about a running study, for this machine only.

It listens on loopback and answers GET and HEAD for four paths. It refuses requests whose host is not a name of this
machine. So a page of another site whose name points to this machine (DNS rebinding) gets no data.

Each connection has one request and a thread. A client has a few seconds to send its request, in all, and a few to
take the answer. Of many connections, the one that has waited longest without a request gives its place to a new one.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from io import BytesIO
from typing import Any

from analysis.names import brief, visible
from study.console import say_error
from trainables.suggestion import named_line

_LOOPBACK = "127.0.0.1"

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

#: Connections that are open at a time. Each has a thread.
_MOST_CONNECTIONS = 64

#: Bytes of a request with its headers; browsers send less than 2,000.
_MOST_BYTES = 16_384

#: Seconds that a client has to send its request, and to take the answer.
_REQUEST_SECONDS, _ANSWER_SECONDS = 5.0, 10.0

#: Characters of the line about a store that cannot be read.
_LONGEST = 500

Read = Callable[[], dict[str, Any]]


class Latest:
    """The last result of `read`. It is read again if it is older than `every` seconds, by one thread at a time.

    While one thread reads, the others get the result before. Only the first result is waited for.
    """

    def __init__(self, read: Read, every: float) -> None:
        self._read, self._every = read, every
        self._lock = threading.Lock()
        self._content, self._at = b"", -float("inf")

    def json(self) -> bytes:
        """The result as JSON in ASCII."""
        if not self._lock.acquire(blocking=not self._content):
            return self._content
        try:
            if time.monotonic() - self._at > self._every:
                self._content = json.dumps(self._read(), allow_nan=False).encode()
                self._at = time.monotonic()
            return self._content
        finally:
            self._lock.release()


class WatchServer(ThreadingHTTPServer):
    """Serves the page of one study. Port 0 means any free port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, latest: Latest, port: int) -> None:
        self.latest, self.pages = latest, _pages()
        self._lock = threading.Lock()
        #: Connections without a complete request, the oldest first.
        self._waiting: dict[socket.socket, None] = {}
        self._answered: set[socket.socket] = set()
        super().__init__((_LOOPBACK, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread. Another one is closed, or this one, if too many are open."""
        with self._lock:
            if len(self._waiting) + len(self._answered) >= _MOST_CONNECTIONS:
                closed = next(iter(self._waiting), request)
                self._waiting.pop(closed, None)
                _hang_up(closed)  # its thread ends
            self._waiting[request] = None
        super().process_request(request, client_address)

    def has_asked(self, request: socket.socket) -> None:
        """Keep this connection open until it is answered, because its request is complete."""
        with self._lock:
            if request in self._waiting:
                del self._waiting[request]
                self._answered.add(request)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._lock:
            self._waiting.pop(request, None)
            self._answered.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print one line about an error of this program, and nothing about a client that has gone."""
        error = sys.exception()
        if not isinstance(error, (ConnectionError, TimeoutError)):
            say_error(f"watch: {type(error).__name__}: {error}")

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"http://{_LOOPBACK}:{self.server_port}/"

    @property
    def hosts(self) -> set[str]:
        """The allowed values of a request's `Host` header."""
        return {f"{name}:{self.server_port}" for name in (_LOOPBACK, "localhost")}


class _Handler(BaseHTTPRequestHandler):
    server: WatchServer
    connection: socket.socket
    server_version, sys_version = "study", ""
    default_request_version = "HTTP/1.0"  # answers to bytes that are no request have the usual headers too

    def handle(self) -> None:
        """Read one request within its limits of time and size, and answer it."""
        head = self._head()
        if head is None:
            return
        self.server.has_asked(self.connection)
        self.connection.settimeout(_ANSWER_SECONDS)
        if len(head) > _MOST_BYTES:
            self.command, self.requestline, self.request_version = "", "", self.default_request_version
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        self.rfile.close()
        self.rfile = BytesIO(head)
        self.handle_one_request()

    def _head(self) -> bytes | None:
        """The request to the empty line after its headers. None if the client goes, or sends it too slowly."""
        head, until = b"", time.monotonic() + _REQUEST_SECONDS
        while b"\r\n\r\n" not in head and b"\n\n" not in head and len(head) <= _MOST_BYTES:
            left = until - time.monotonic()
            if left <= 0:
                return None
            self.connection.settimeout(left)
            with suppress(TimeoutError):
                part = self.connection.recv(_MOST_BYTES)
                if not part:
                    return None
                head += part
        return head

    def do_GET(self) -> None:
        self._answer(*self._found())

    do_HEAD = do_GET

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer an error with the usual headers. For an unknown method, the status is 405 and not 501."""
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        self._answer(status, "text/plain", status.phrase.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing, so that the terminal shows only the address."""

    def _found(self) -> tuple[HTTPStatus, str, bytes]:
        if self.headers.get("Host", "") not in self.server.hosts:
            return (
                HTTPStatus.MISDIRECTED_REQUEST,
                "text/plain",
                b"This page answers at its own address only.",
            )
        if self.path == "/state.json":
            return self._state()
        if self.path not in self.server.pages:
            return HTTPStatus.NOT_FOUND, "text/plain", b"There is no such page."
        return HTTPStatus.OK, *self.server.pages[self.path]

    def _state(self) -> tuple[HTTPStatus, str, bytes]:
        try:
            return HTTPStatus.OK, "application/json", self.server.latest.json()
        except Exception as error:  # such as a busy store; the page shows the error and tries again
            line = visible(brief(named_line(error), _LONGEST))
            return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", line.encode()

    def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _hang_up(connection: socket.socket) -> None:
    """End a connection, so that a thread that reads from it continues."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _pages() -> dict[str, tuple[str, bytes]]:
    """Content type and content by path: the report's style and explorer, and the files of this page."""
    own, shared = files("study.watching"), files("analysis.report") / "templates"
    style = [shared / "report.css", shared / "explorer.css", own / "watch.css"]
    script = [shared / "explorer.js", own / "watch.js"]
    return {
        "/": ("text/html", (own / "watch.html").read_bytes()),
        "/style.css": ("text/css", b"\n".join(path.read_bytes() for path in style)),
        "/script.js": ("text/javascript", b"\n".join(path.read_bytes() for path in script)),
    }
