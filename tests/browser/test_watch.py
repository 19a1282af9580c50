"""The watching page: it fills in while the study runs, and keeps what its reader chose."""

import threading
from typing import Any

import pytest

from analysis.model.table import build_table
from analysis.report.explorer import explorer_data
from analysis.study_analysis import split_cells
from study.watching.server import Latest, WatchServer
from tests.analysis.conftest import make_study
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


def state(trials: int) -> dict[str, Any]:
    """A study of 90 trials of which so many have ended."""
    planned, records, info = make_study()
    _, info, cells = split_cells(build_table(planned, records[:trials]), info)
    failed = {
        "title": "1 crashed: <b>no</b>",
        "trials": ["abc  infonce seed=0"],
        "more": 0,
        "traceback": "at line 3",
    }
    return {
        "study": "<i>mine</i>",
        "counts": {"trials": 90, "ok": trials, "crashed": 0, "missing": 90 - trials},
        "losses": [{"name": "infonce", "trials": 30, "done": min(trials, 30), "missing": 0}],
        "launches": 1,
        "left": "about 5 min",
        "failures": [failed] if trials > 40 else [],
        "column": info.metric.selecting_column,
        "explorer": explorer_data(info, cells),
    }


def test_the_page_fills_in_by_itself(open_page: OpenPage) -> None:
    ended = [40]
    with WatchServer(Latest(lambda: state(ended[0]), every=0.0), 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            page = open_page(server.address).page
            page.get_by_text("40 of 90 trials done").wait_for()
            page.get_by_label("Metric").select_option(label="test accuracy, %")
            page.locator(".explorer table").nth(2).locator("td[data-cell='1']").click()
            page.locator(".explorer .details").get_by_text("seed 1 not run").wait_for()
            assert not any(page.locator(".explorer .share").all_inner_texts())
            assert page.locator(".explorer .near").count() == 0
            page.get_by_text("50 trials not run: shares of the ranges").wait_for()
            ended[0] = 90
            page.get_by_text("90 of 90 trials done").wait_for()
            assert all(
                "% of the ranges" in text for text in page.locator(".explorer .share").all_inner_texts()
            )
            assert not page.get_by_text("not run: shares of the ranges").is_visible()
            assert "mean of finished seeds" in page.locator(".explorer .details").inner_text()
            page.locator(".explorer .details li").first.wait_for()
            assert "not run" not in page.locator(".explorer .details").inner_text()
            assert page.get_by_label("Metric").input_value() == "test accuracy, %"
            assert page.locator("#failures summary").inner_text() == "1 crashed: <b>no</b>"
        finally:
            server.shutdown()
            thread.join()
