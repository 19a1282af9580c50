"""No text of a record runs or loads anything in the report's page or in the watching page; each is shown as text."""

import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.library import write_table_report
from analysis.names import visible
from study.watching.server import Latest, WatchServer
from tests.analysis.hostile import TEXTS
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

#: The texts that address a browser, with event handlers and the ends of scripts.
ACTIVE = [text for text in TEXTS if "window.ran" in text]


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "loss": loss,
                "seed": seed,
                "x<b>": x,
                ACTIVE[1]: value,
                "acc": None if (seed, x, value) == (0, 1, ACTIVE[0]) else 0.5 + 0.01 * x + 0.02 * seed,
                "status": "crashed" if (seed, x, value) == (0, 1, ACTIVE[0]) else "ok",
                "error_message": ACTIVE[0],
            }
            for loss in ACTIVE
            for seed in (0, 1)
            for x in (1, 2)
            for value in (ACTIVE[0], "b")
        ]
    )


def test_the_report_runs_nothing(tmp_path: Path, open_page: OpenPage) -> None:
    path = write_table_report(
        rows(), tmp_path, metric="acc", x="x<b>", main=ACTIVE[1], status="status", name=ACTIVE[0]
    )
    page = open_page(path.as_uri()).page
    page.locator(".explorer td[data-cell]").first.click()
    assert page.evaluate("window.ran") is None
    text = page.locator("body").inner_text()
    assert all(loss in text for loss in ACTIVE)
    assert page.locator("main img:not(figure img), a[href^=javascript], b:not(.explorer b)").count() == 0
    assert page.locator("h1").inner_text().startswith(ACTIVE[0])


def test_the_policy_refuses_a_script_that_gets_into_the_page(tmp_path: Path, browser: Any) -> None:
    path = write_table_report(rows(), tmp_path, metric="acc", x="x<b>", main=ACTIVE[1], status="status")
    html = path.read_text(encoding="utf-8")
    path.write_text(html.replace("<main>", f"<main>{ACTIVE[0]}", 1), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.evaluate("window.ran") is None
    assert page.locator(".explorer table").count() == len(ACTIVE)  # its own script still runs
    page.close()


def state() -> dict[str, Any]:
    shown = [visible(text) for text in TEXTS]
    return {
        "study": ACTIVE[0],
        "changed": ACTIVE[1],
        "counts": {"trials": 4, "ok": 1, ACTIVE[0]: 3, "missing": 0},
        "losses": [{"name": text, "trials": 2, "done": 1, "missing": 1} for text in shown],
        "launches": 1,
        "left": ACTIVE[0],
        "failures": [{"title": text, "trials": [text], "more": 1, "traceback": text} for text in shown],
        "column": "",
        "explorer": None,
    }


def test_the_watching_page_runs_nothing(open_page: OpenPage) -> None:
    with WatchServer(Latest(state, every=0.0), 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            page = open_page(server.address).page
            page.get_by_text("4 of 4 trials done").wait_for()
            assert page.evaluate("window.ran") is None
            summaries = page.locator("#failures summary").all_text_contents()
            assert summaries == [visible(text) for text in TEXTS]
            assert page.locator("main img, a").count() == 0
            assert page.locator("#changed").inner_text().startswith(f"Since this page began, {ACTIVE[1]}")
        finally:
            server.shutdown()
            thread.join()
