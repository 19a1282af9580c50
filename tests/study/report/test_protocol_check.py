"""The protocol check reads a study before any trial has run."""

from pathlib import Path

import pytest

from analysis.fairness.card import FAIL, PASS, WARN, Card
from analysis.fairness.tried import Tried
from analysis.fairness.withheld import settings_cards
from analysis.study_analysis import split_cells
from study.loaded import load_study
from study.report.study_table import study_table
from tests.prose import assert_says
from tests.study.conftest import WriteStudy


def cards(path: Path, store: Path) -> dict[str, Card]:
    loaded = load_study(str(path), str(store), None)
    table, info, cells = split_cells(*study_table(loaded.plan, loaded.study_file))
    return {card.title: card for card in settings_cards(Tried(info=info, table=table, cells=cells))}


def two_losses(other: str) -> tuple[tuple[str, str], ...]:
    return (
        ("temperature = [0.1, 0.5]", "temperature = [0.5]"),
        ("[losses.kcl]\nt = [2.0]", other),
    )


def test_one_temperature_each_as_in_a_published_benchmark(write_study: WriteStudy, tmp_path: Path) -> None:
    found = cards(write_study(*two_losses("[losses.dcl]\ntemperature = [0.1]")), tmp_path / "store")
    card = found["Temperatures differ"]
    assert (card.level, card.losses) == (FAIL, ("dcl",))
    assert_says(card.text, "0.5 for NT-Xent", "0.1 for DCL")


@pytest.mark.parametrize(
    ("other", "level"),
    [
        ("[losses.dcl]\ntemperature = [0.5]", PASS),
        ('[losses.kcl]\nkernel = "gaussian"\nt = [1.0]', PASS),
        ('[losses.kcl]\nkernel = "gaussian"\nt = [2.0]', FAIL),
        ('[losses.kcl]\nkernel = "imq"\nt = [2.0]\nlr = 0.1', None),
    ],
)
def test_temperatures_by_their_equivalents(
    other: str, level: str | None, write_study: WriteStudy, tmp_path: Path
) -> None:
    found = cards(write_study(*two_losses(other)), tmp_path / "store")
    told = [card for title, card in found.items() if title.startswith("Temperatures")]
    assert [card.level for card in told] == ([level] if level else [])


def test_one_temperature_beside_a_range_is_a_question_of_the_space(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    found = cards(write_study(*two_losses("[losses.dcl]")), tmp_path / "store")
    assert found["Space"].level == FAIL
    assert not [title for title in found if title.startswith("Temperatures")]


@pytest.mark.parametrize("rule", ["linear", "none"])
def test_rates_over_batch_sizes(rule: str, write_study: WriteStudy, tmp_path: Path) -> None:
    title, other = "Rate over batch size", ("steps = 3", f'steps = 3\nlr_rule = "{rule}"')
    assert cards(write_study(other), tmp_path / "store")[title].level == WARN
    swept = write_study(other, ("batch_size = [8, 16]", "batch_size = [8, 16]\nlr = [0.1, 0.3]"))
    assert cards(swept, tmp_path / "store")[title].level == PASS


def test_a_rate_swept_for_one_loss_alone(write_study: WriteStudy, tmp_path: Path) -> None:
    path = write_study(("t = [2.0]", "t = [2.0]\nlr = [0.1, 0.3]"), ("[0.1, 0.5]", "[0.1, 0.5]\nlr = 0.2"))
    card = cards(path, tmp_path / "store")["Learning rate tuned for one loss alone"]
    assert card.level == WARN
    assert_says(card.text, "Not tuned on this data and protocol: NT-Xent", "which favours it")
