"""A real S3 endpoint on loopback."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def s3_port() -> Iterator[int]:
    """Port of a moto server of the tests' own."""
    pytest.importorskip("obstore", reason="the extra 'cloud' is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("moto_server")
    command = [str(program), "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/")
        yield port
    finally:
        server.kill()
        server.wait()


def _wait_for(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise TimeoutError(f"no answer from {url}")


@pytest.fixture
def s3_url(s3_port: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh prefix in a bucket; processes that the test starts reach it too."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3_port}")
    bucket = f"http://127.0.0.1:{s3_port}/studies"
    urllib.request.urlopen(urllib.request.Request(bucket, method="PUT")).close()
    return f"s3://studies/{uuid.uuid4().hex}"
