"""Columns of a table that are temperatures, or that a mapping declares as such, and scales of unknown kernels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.model.meaning import TEMPERATURE, Meaning
from analysis.model.pairing import NoPairs, Pairs, pair_cells
from analysis.report.sections.space.differences import differences_section
from analysis.study_analysis import StudyAnalysis, analyse_table
from analysis.tables.build import table_study
from analysis.tables.mapping import build_mapping, mapping_keys, read_mapping

KEYS = {"metric": "acc", "loss": "method", "seed": "run", "x": "bs"}


def rows(first: str, second: str) -> pd.DataFrame:
    """InfoNCE over `first` at 0.25, 0.5 and 1, and KCL over `second` at 0.5, 1 and 2."""
    found = []
    for loss, name, values in (("infonce", first, (0.25, 0.5, 1.0)), ("kcl", second, (0.5, 1.0, 2.0))):
        found += [
            {"method": loss, "run": run, "bs": bs, name: value, "acc": 0.5 + 0.01 * run + 0.001 * bs / value}
            for run in range(3)
            for bs in (16, 64)
            for value in values
        ]
    return pd.DataFrame(found)


def study(table: pd.DataFrame, **keys: object) -> StudyAnalysis:
    return analyse_table(*table_study(table, build_mapping({**KEYS, **keys})))


@pytest.mark.parametrize("name", ["temperature", "tau", "Tau"])
def test_a_column_of_temperatures_is_known_by_its_name(name: str) -> None:
    found = study(rows(name, "t"))
    assert found.info.arm("infonce").main.meaning == TEMPERATURE
    assert found.info.arm("kcl").main.meaning == Meaning(of="t of kcl")
    assert pair_cells(found.cells["kcl"], found.cells["infonce"]) == NoPairs(
        reason="t of kcl has no equivalent temperature"
    )
    section = differences_section(found)
    assert section is not None
    assert section.sentences[0] == "No map of kcl: t of kcl has no equivalent temperature."
    assert "A mapping file can declare" in section.sentences[1]


def test_the_scales_of_two_unknown_kernels_are_not_paired() -> None:
    found = study(rows("t", "t"))
    assert isinstance(pair_cells(found.cells["kcl"], found.cells["infonce"]), NoPairs)
    assert isinstance(pair_cells(found.cells["kcl"], found.cells["kcl"]), Pairs)


def test_any_other_column_means_the_same_in_every_loss() -> None:
    found = study(rows("dropout", "dropout"))
    pairs = pair_cells(found.cells["kcl"], found.cells["infonce"])
    assert isinstance(pairs, Pairs)
    values = [found.cells[name].values("hp_dropout") for name in ("kcl", "infonce")]
    assert np.array_equal(values[0][pairs.own], values[1][pairs.other])
    assert set(values[0][pairs.own]) == {0.5, 1.0}


def test_a_mapping_declares_an_equivalent_temperature(tmp_path: Path) -> None:
    """t = 0.5, 1, 2 is T = 1, 0.5, 0.25."""
    (tmp_path / "mapping.toml").write_text("[temperatures]\nt = [0.5, -1]\n")
    keys = read_mapping(tmp_path / "mapping.toml")
    found = study(rows("tau", "t"), **keys)
    pairs = pair_cells(found.cells["kcl"], found.cells["infonce"])
    assert isinstance(pairs, Pairs)
    assert pairs.rule == "t is paired with tau by T = 1/(2t)"
    scale, temperature = (
        found.cells[label].values(f"hp_{name}")[places]
        for label, name, places in (("kcl", "t", pairs.own), ("infonce", "tau", pairs.other))
    )
    assert temperature == pytest.approx(1 / (2 * scale))
    assert found.info.arm("kcl").main.meaning.larger_acts_as == "lower temperature"
    mapping = build_mapping({"metric": "acc", **keys})
    assert build_mapping(mapping_keys(mapping)) == mapping


@pytest.mark.parametrize("law", [[0, 1], [-1, 1], [1, 0], [float("inf"), 1], [1, float("nan")]])
def test_a_law_that_is_none_is_refused(law: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^mapping: temperatures\.t must be a factor above 0 and a power"):
        build_mapping({"metric": "acc", "temperatures": {"t": law}})


def test_a_wrong_key_or_an_unknown_column_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"mapping: temperatures must be a table of pairs of numbers, such as"
    ):
        build_mapping({"metric": "acc", "temperatures": {"t": "1/2t"}})
    with pytest.raises(ValueError, match="no column 'scale'"):
        study(rows("tau", "t"), temperatures={"scale": [0.5, -1]})
