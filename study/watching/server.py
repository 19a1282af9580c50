"""The web server of `study watch`: a read-only page about a running study, for this machine only.

It listens on loopback and answers GET and HEAD for four paths. It refuses requests whose host is not a name of this
machine. So a page of another site whose name points to this machine (DNS rebinding) gets no data.
"""

import json
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

_LOOPBACK = "127.0.0.1"

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Read = Callable[[], dict[str, Any]]


class Latest:
    """The last result of `read`. It is read again if it is older than `every` seconds, by one thread at a time."""

    def __init__(self, read: Read, every: float) -> None:
        self._read, self._every = read, every
        self._lock = threading.Lock()
        self._content, self._at = b"", -float("inf")

    def json(self) -> bytes:
        """The result as JSON in UTF-8."""
        with self._lock:
            if time.monotonic() - self._at > self._every:
                self._content = json.dumps(self._read(), ensure_ascii=False, allow_nan=False).encode()
                self._at = time.monotonic()
            return self._content


class WatchServer(ThreadingHTTPServer):
    """Serves the page of one study. Port 0 means any free port."""

    daemon_threads = True

    def __init__(self, latest: Latest, port: int) -> None:
        self.latest, self.pages = latest, _pages()
        super().__init__((_LOOPBACK, port), _Handler)

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
    server_version, sys_version = "study", ""

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
            line = f"{type(error).__name__}: {error}".splitlines()[0]
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


def _pages() -> dict[str, tuple[str, bytes]]:
    """Content type and content by path: the report's style and explorer, and the files of this page."""
    own, shared = files("study.watching"), files("analysis") / "templates"
    style = [shared / "report.css", shared / "explorer.css", own / "watch.css"]
    script = [shared / "explorer.js", own / "watch.js"]
    return {
        "/": ("text/html", (own / "watch.html").read_bytes()),
        "/style.css": ("text/css", b"\n".join(path.read_bytes() for path in style)),
        "/script.js": ("text/javascript", b"\n".join(path.read_bytes() for path in script)),
    }
