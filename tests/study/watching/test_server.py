"""The watching server answers only permitted requests, and with what the store holds."""

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from study.watching.server import Latest, WatchServer


class Store:
    """Counts how often it is read; raises when it is `away`."""

    def __init__(self) -> None:
        self.reads, self.away = 0, False

    def read(self) -> dict[str, Any]:
        if self.away:
            raise OSError("the disk is away\nwith details")
        self.reads += 1
        return {"reads": self.reads, "name": "é"}


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def server(store: Store) -> Iterator[WatchServer]:
    with WatchServer(Latest(store.read, every=0.0), 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: WatchServer, path: str, *, method: str = "GET", host: str = ""
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_the_page_and_its_parts(server: WatchServer) -> None:
    kinds = {"/": "text/html", "/style.css": "text/css", "/script.js": "text/javascript"}
    for path, kind in kinds.items():
        answer, content = ask(server, path)
        assert (answer.status, answer.headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        assert len(content) == int(answer.headers["Content-Length"]) > 100
    assert b"createExplorer" in ask(server, "/script.js")[1]
    answer, content = ask(server, "/state.json")
    assert json.loads(content) == {"reads": 1, "name": "é"}


def test_every_answer_keeps_other_sites_out(server: WatchServer) -> None:
    for path in ("/", "/state.json", "/nothing"):
        headers = ask(server, path)[0].headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil:{port}"]
)
def test_other_names_are_refused(server: WatchServer, store: Store, host: str) -> None:
    answer, content = ask(server, "/state.json", host=host.format(port=server.server_port))
    assert answer.status == 421
    assert b"reads" not in content
    assert store.reads == 0


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}"])
def test_names_of_this_machine_are_answered(server: WatchServer, host: str) -> None:
    assert ask(server, "/state.json", host=host.format(port=server.server_port))[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_there_is_no_way_to_write(server: WatchServer, method: str) -> None:
    answer, _ = ask(server, "/state.json", method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_head_has_no_content(server: WatchServer) -> None:
    answer, content = ask(server, "/", method="HEAD")
    assert (answer.status, content) == (200, b"")


@pytest.mark.parametrize("path", ["/nothing", "/../watch.html", "/state.json?x=1", "/script.js/"])
def test_there_is_nothing_else(server: WatchServer, path: str) -> None:
    assert ask(server, path)[0].status == 404


def test_a_store_that_is_away_is_told_and_asked_again(server: WatchServer, store: Store) -> None:
    store.away = True
    answer, content = ask(server, "/state.json")
    assert (answer.status, content) == (503, b"OSError: the disk is away")
    store.away = False
    assert ask(server, "/state.json")[0].status == 200


def test_many_readers_cost_one_reading(store: Store) -> None:
    latest = Latest(store.read, every=60.0)
    threads = [threading.Thread(target=latest.json) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.reads == 1


def test_it_listens_on_loopback_alone(server: WatchServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.address == f"http://127.0.0.1:{server.server_port}/"


def test_an_error_without_a_message_is_shown_by_its_class() -> None:
    def read() -> dict[str, Any]:
        raise AssertionError

    with WatchServer(Latest(read, every=0.0), 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        answer, content = ask(server, "/state.json")
        server.shutdown()
        thread.join()
    assert (answer.status, content) == (503, b"AssertionError")
