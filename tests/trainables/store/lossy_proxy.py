"""A TCP proxy before an S3 endpoint that breaks one request, as networks and killed writers do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """What happened to the request that was to break."""

    port: int = 0
    broken: threading.Event = field(default_factory=threading.Event)


@contextmanager
def lossy_proxy(port: int, *, keep_request_bytes: int | None) -> Iterator[Proxy]:
    """Break the first PUT: forward only so many of its bytes and then nothing, or, for None, lose its answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(port=listener.getsockname()[1])
        threading.Thread(target=_serve, args=(listener, port, keep_request_bytes, proxy), daemon=True).start()
        yield proxy


def _serve(listener: socket.socket, port: int, keep: int | None, proxy: Proxy) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_forward, args=(client, port, keep, proxy), daemon=True).start()


def _forward(client: socket.socket, port: int, keep: int | None, proxy: Proxy) -> None:
    with client, socket.create_connection(("127.0.0.1", port)) as server, suppress(OSError):
        first = client.recv(65536)
        if not first.startswith(b"PUT") or proxy.broken.is_set():
            server.sendall(first)
            _pump_both(client, server)
        elif keep is not None:
            server.sendall(first[:keep])
            proxy.broken.set()
            while client.recv(65536):  # the rest goes nowhere, until the client is dead
                pass
        else:
            server.sendall(first)
            _lose_answer(client, server, proxy)


def _lose_answer(client: socket.socket, server: socket.socket, proxy: Proxy) -> None:
    """Forward the rest of the request, and hang up when the answer comes: it has been carried out by then."""
    request = threading.Thread(target=_pump, args=(client, server), daemon=True)
    request.start()
    server.recv(65536)
    proxy.broken.set()
    client.shutdown(socket.SHUT_RDWR)


def _pump_both(client: socket.socket, server: socket.socket) -> None:
    answers = threading.Thread(target=_pump, args=(server, client), daemon=True)
    answers.start()
    _pump(client, server)
    answers.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
