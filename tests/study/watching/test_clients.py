"""The watching server does not depend on its clients: slow, silent, endless, vanished and very many ones."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from study.watching import server as serving
from study.watching.server import Latest, WatchServer
from tests.waiting import wait_until


@pytest.fixture
def server() -> Iterator[WatchServer]:
    with WatchServer(Latest(lambda: {"trials": 3}, every=0.0), 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def connect(server: WatchServer, first: bytes = b"") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", server.server_port), timeout=20)
    client.sendall(first)
    return client


def state(server: WatchServer) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request("GET", "/state.json")
    content: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return content


def head(server: WatchServer, *headers: str) -> bytes:
    lines = ["GET / HTTP/1.1", f"Host: 127.0.0.1:{server.server_port}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def send_slowly(client: socket.socket, content: bytes) -> None:
    for byte in content:
        client.sendall(bytes([byte]))
        time.sleep(0.02)


def answer(client: socket.socket) -> bytes:
    """Everything until the server closes."""
    found = b""
    while part := client.recv(65536):
        found += part
    return found


@pytest.mark.parametrize("first", [b"", b"GET / HT"])
def test_a_silent_client_is_dropped(
    server: WatchServer, first: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_REQUEST_SECONDS", 0.2)
    with connect(server, first) as client:
        began = time.monotonic()
        assert answer(client) == b""
        assert 0.1 < time.monotonic() - began < 5


def test_a_client_that_sends_bytes_now_and_then_is_dropped(
    server: WatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_REQUEST_SECONDS", 0.3)
    began = time.monotonic()
    with connect(server) as client, pytest.raises(ConnectionError):
        send_slowly(client, 100 * head(server))
    assert 0.2 < time.monotonic() - began < 5


def test_a_client_that_takes_no_answer_is_dropped(
    server: WatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_ANSWER_SECONDS", 0.2)
    server.pages["/"] = ("text/html", bytes(50_000_000))  # more than the buffers of a connection
    with connect(server, head(server)):
        wait_until(lambda: server._answered)
        wait_until(lambda: not server._answered, seconds=10)


@pytest.mark.parametrize("count", [50, 500])
def test_slow_clients_do_not_stop_the_page(server: WatchServer, count: int) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server, b"GET /")) for _ in range(count)]
        began = time.monotonic()
        assert state(server) == {"trials": 3}
        assert time.monotonic() - began < 3
        assert len(server._waiting) <= serving._MOST_CONNECTIONS
        if count > serving._MOST_CONNECTIONS:
            assert answer(clients[0]) == b""  # the oldest gave way


def test_a_request_with_endless_headers_is_refused(server: WatchServer) -> None:
    with connect(server, head(server, "X: " + 20_000 * "x")[:-4]) as client:
        assert answer(client).startswith(b"HTTP/1.0 431 Request Header Fields Too Large")


def test_a_request_with_many_headers_is_refused(server: WatchServer) -> None:
    with connect(server, head(server, *(f"X{n}: 1" for n in range(200)))) as client:
        assert answer(client).startswith(b"HTTP/1.0 431 ")


def test_a_long_path_is_no_page(server: WatchServer) -> None:
    with connect(server, head(server).replace(b"GET /", b"GET /" + 10_000 * b"x")) as client:
        assert answer(client).startswith(b"HTTP/1.0 404 ")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"\x00\xff\x1b\r\n\r\n", b"HTTP/1.0 4"),
        (b"GET\n\n", b"HTTP/1.0 4"),
        (b"GET / HTTP/9.9\r\n\r\n", b"HTTP/1.0 5"),
        (b"\r\n\r\n", b""),
    ],
)
def test_other_bytes_are_refused(server: WatchServer, request_: bytes, status: bytes) -> None:
    with connect(server, request_) as client:
        assert answer(client)[:10] == status
    assert state(server) == {"trials": 3}


def test_a_client_that_vanishes_prints_nothing(
    server: WatchServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server.pages["/"] = ("text/html", bytes(20_000_000))
    for first in (b"GET /", head(server), head(server)):
        client = connect(server, first)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # ends with a reset
        client.close()
    assert state(server) == {"trials": 3}
    wait_until(lambda: not server._waiting and not server._answered)
    assert capfd.readouterr() == ("", "")


def test_an_error_of_the_program_is_one_line(server: WatchServer, capfd: pytest.CaptureFixture[str]) -> None:
    server.pages["/"] = ("text/html", "no bytes\x1b[31m")  # type: ignore[assignment]
    with connect(server, head(server)) as client:
        answer(client)
    wait_until(lambda: not server._answered)
    assert capfd.readouterr().err == "study: watch: TypeError: a bytes-like object is required, not 'str'\n"


def test_while_a_store_is_busy_the_content_before_is_served() -> None:
    asked, go_on, reads = threading.Event(), threading.Event(), [0]

    def read() -> dict[str, Any]:
        reads[0] += 1
        if reads[0] > 1:
            asked.set()
            go_on.wait(20)
        return {"reads": reads[0]}

    latest = Latest(read, every=0.0)
    assert json.loads(latest.json()) == {"reads": 1}
    slow = threading.Thread(target=latest.json)
    slow.start()
    asked.wait(20)
    assert json.loads(latest.json()) == {"reads": 1}
    go_on.set()
    slow.join()


def test_the_content_has_no_raw_character_of_a_name() -> None:
    content = Latest(lambda: {"name": "\x9b\u2028\u202e\ud800</script>é"}, every=0.0).json()
    assert content.isascii()
    assert json.loads(content)["name"] == "\x9b\u2028\u202e\ud800</script>é"


def test_shutdown_does_not_wait_for_clients() -> None:
    with WatchServer(Latest(dict, every=0.0), 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        clients = [connect(server, b"GET /") for _ in range(20)]
        began = time.monotonic()
        server.shutdown()
        thread.join()
    assert time.monotonic() - began < 2
    for client in clients:
        client.close()
