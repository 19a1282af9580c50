"""Headless Chromium of the system, driven by Playwright; every page is watched for errors and requests."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: uv sync")

OpenPage = Callable[..., "LoadedStudy"]


@dataclass(frozen=True, kw_only=True)
class LoadedStudy:
    """A page with what it complained of and what it asked for beyond its own address."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window; skipped where the machine has none, but not where CI is set."""
    path = shutil.which("chromium")
    if path is None:
        message = "no chromium on this machine: apt-get install chromium"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[OpenPage]:
    """Opens an address; requests to any other one are recorded and refused. No test may leave an error behind."""
    contexts, seen = [], []

    def opened(address: str, **options: Any) -> LoadedStudy:
        context = browser.new_context(**options)
        contexts.append(context)
        found = LoadedStudy(page=context.new_page())
        seen.append(found)

        def answer(route: Any) -> None:
            if route.request.url.startswith(address):
                route.continue_()
            else:
                found.requests.append(route.request.url)
                route.abort()

        context.route("**/*", answer)
        found.page.on("pageerror", lambda error: found.errors.append(str(error)))
        found.page.on(
            "console",
            lambda said: found.errors.append(said.text) if said.type in ("error", "warning") else None,
        )
        found.page.goto(address)
        return found

    yield opened
    for context in contexts:
        context.close()
    assert [each.errors for each in seen] == [[] for _ in seen]
    assert [each.requests for each in seen] == [[] for _ in seen]
