"""`study demo` writes a simulated study, either complete or not at all."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.study.running import invoke


@pytest.mark.slow
def test_it_writes_a_table_that_reports_read_and_the_answers_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "demo"
    result = invoke("demo", "--out", folder, "--seeds", "1")
    assert result.exit_code == 0, result.output
    assert "about a minute" in result.output.splitlines()[0]  # before the silence
    assert pq.read_table(folder / "table.parquet").num_rows == 400
    assert {"tolerance_own_best", "best"} <= set(pd.read_csv(folder / "answers.csv")["score"])
    assert list(folder.rglob("report.html"))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["demo"]  # nothing temporary is left


def test_it_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    result = invoke("demo", "--out", tmp_path)
    assert result.exit_code == 2
    assert "nothing is overwritten" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
