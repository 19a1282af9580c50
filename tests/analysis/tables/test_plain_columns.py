"""Lists, maps and dicts in a table are no obstacle: they become columns or text, and every entry takes them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import build_surface, cell_intervals, compare, load_records, robustness
from analysis.tables.plain_columns import plain_columns
from tests.analysis.tables.example_table import KEYS, ROWS


def test_fields_of_hp_other_become_columns() -> None:
    rows = pd.DataFrame(
        {"hp_other": [[("margin", "0.5"), ("how", '"a"')], None, {"margin": "2"}], "loss": "x"}
    )
    plain = plain_columns(rows)
    assert list(plain.columns) == ["loss", "hp_how", "hp_margin"]
    assert plain["hp_margin"].tolist()[::2] == [0.5, 2.0]
    assert np.isnan(plain["hp_margin"][1])
    assert plain["hp_how"].tolist()[0] == "a"
    assert plain["hp_how"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("values", "want"),
    [
        (["true", "false"], [True, False]),
        (["1", '"two"'], ["1", '"two"']),
        (["[1, 2]", "[3]"], ["[1, 2]", "[3]"]),
        (["null", "3"], [None, 3]),
    ],
)
def test_values_of_one_kind_are_decoded(values: list[str], want: list[Any]) -> None:
    plain = plain_columns(pd.DataFrame({"hp_other": [[("key", value)] for value in values]}))
    found = [None if value != value else value for value in plain["hp_key"]]
    assert found == want


def test_a_field_never_replaces_a_column_with_values() -> None:
    rows = pd.DataFrame(
        {"hp_t": [2.0, np.nan], "hp_lr": [None, None], "hp_other": [None, [("t", '"auto"'), ("lr", "1")]]}
    )
    plain = plain_columns(rows)
    assert plain["hp_t"].tolist()[0] == 2.0
    assert plain["hp_other_t"].tolist()[1] == "auto"
    assert plain["hp_lr"].tolist()[1] == 1


def test_other_columns_become_text() -> None:
    cells = [[1, 2], {"b": 1, "a": [2]}, np.array([1.5]), {"z", "y"}, "as it is", (1, [2]), None]
    plain = plain_columns(pd.DataFrame({"widths": cells, "n": range(7)}))
    assert plain["widths"].tolist()[:6] == [
        "[1, 2]",
        '{"a": [2], "b": 1}',
        "[1.5]",
        '["y", "z"]',
        "as it is",
        "[1, [2]]",
    ]
    assert plain["widths"].isna().tolist() == [False] * 6 + [True]
    assert plain["n"].tolist() == list(range(7))


def test_a_table_without_such_columns_is_not_copied() -> None:
    assert plain_columns(ROWS) is ROWS


@pytest.fixture
def nested() -> pd.DataFrame:
    """The table with its temperature replaced by a list, and by a map."""
    widths = [[int(10 * tau), 8] for tau in ROWS["tau"]]
    other = [[("tau", str(tau)), ("name", '"n"')] for tau in ROWS["tau"]]
    return ROWS.assign(hp_bs=ROWS["bs"], widths=widths, hp_other=other).drop(columns=["tau", "bs"])


@pytest.mark.parametrize("axes", [("hp_bs", "hp_tau"), ("hp_bs", "widths")])
@pytest.mark.parametrize("kept_in", ["memory", "parquet"])
def test_scores_do_not_depend_on_how_a_value_is_held(
    nested: pd.DataFrame, axes: tuple[str, str], kept_in: str, tmp_path: Path
) -> None:
    if kept_in == "parquet":
        nested.to_parquet(tmp_path / "rows.parquet")
        nested = load_records(tmp_path / "rows.parquet")
    keys: dict[str, Any] = {**KEYS, "axes": axes, "measures": {axes[1]: "each"}}
    plain: dict[str, Any] = {**KEYS, "axes": ("bs", "tau"), "measures": {"tau": "each"}}
    columns = ["arm", "tuned", "mean", "worst_tenth", "planned"]
    pd.testing.assert_frame_equal(robustness(nested, **keys)[columns], robustness(ROWS, **plain)[columns])
    columns = ["loss", "question", "difference", "low", "high"]
    pd.testing.assert_frame_equal(compare(nested, **keys)[columns], compare(ROWS, **plain)[columns])


def test_surfaces_and_intervals_over_lists(nested: pd.DataFrame, tmp_path: Path) -> None:
    one = nested[nested["method"] == "dhel"].rename(columns={"run": "seed"})
    surface = build_surface(one, "acc", x="hp_bs", y="widths")
    assert surface.y.tolist() == ["[1, 8]", "[2, 8]", "[4, 8]"]
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pandas(one), path)
    want = [0.8 - 0.1 * abs(np.log(tau / 0.2)) - 0.02 for tau in (0.1, 0.2, 0.4)]
    for source in (one, path, pa.Table.from_pandas(one)):
        found = cell_intervals(source, ["widths", "hp_bs"], "acc")
        assert found["widths"].tolist()[::2] == surface.y.tolist()
        assert found["mean"].tolist()[::2] == pytest.approx(want)
    np.testing.assert_allclose(surface.values[0].mean(axis=1), want)
