"""`study recommend` from a store, a bundle and a table: an answer, "cannot tell" with the reason, or bad input."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from study.cli.tables import read_table
from study.report.looks import NOT_KEPT, PastLook, trial_keys, write_looks
from tests.faults_injected import digests
from tests.study.cli.conftest import Finished
from tests.study.running import invoke

RNG = np.random.default_rng(0)
ROWS = pd.DataFrame(
    [
        {
            "method": loss,
            "seed": seed,
            "batch_size": batch,
            "tau": tau,
            "dataset": data,
            "test_acc": peak - abs(tau - 0.2) / 10 + RNG.normal(0, 0.002),
            "val_acc": peak - abs(tau - 0.2) / 10 + RNG.normal(0, 0.002),
        }
        for data, peaks in (("one", (0.8, 0.9)), ("two", (0.9, 0.7)))
        for loss, peak in zip("ab", peaks, strict=True)
        for seed in range(4)
        for batch in (32, 64)
        for tau in (0.1, 0.2, 0.4)
    ]
)
META = ("--metric", "test_acc", "--selects", "val_acc", "--axis", "batch_size", "--axis", "tau")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    ROWS.to_csv(path, index=False)
    return path


@pytest.mark.parametrize(("data", "best"), [("one", "b"), ("two", "a")])
def test_each_data_set_has_its_best_loss(data: str, best: str, table: Path) -> None:
    result = invoke("recommend", "--from", table, *META, "--data", data, "--batch-size", 64)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"Use {best} with batch size 64, tau 0.2; every other loss")
    assert len(result.stdout.splitlines()) <= 10
    told = json.loads(
        invoke("recommend", "--from", table, *META, "--data", data, "--batch-size", 64, "--json").stdout
    )
    assert told["loss"] == best
    assert told["setting"] == {"hp_batch_size": 64, "hp_tau": 0.2}
    assert told["verdict"] == "clear"


def test_a_table_has_the_level_of_a_first_look_and_a_note(table: Path) -> None:
    told = json.loads(invoke("recommend", "--from", table, *META, "--data", "one", "--json").stdout)
    assert told["level"] == 0.96
    assert told["notes"][-1] == NOT_KEPT


def test_an_imported_folder_remembers_its_first_look(table: Path, tmp_path: Path) -> None:
    home = tmp_path / "imported"
    result = invoke("import", table, *META, "--out", home)
    assert result.exit_code == 0, result.output
    seeds = tuple(str(seed) for seed in range(3))
    info_and_trials = read_table(str(home), {})
    write_looks(
        home, [PastLook(seeds=seeds, trials=trial_keys(info_and_trials.trials, info_and_trials.info))]
    )
    told = json.loads(invoke("recommend", "--from", home, "--data", "one", "--json").stdout)
    assert told["level"] == pytest.approx(1 - 0.01 / 17)
    assert NOT_KEPT not in told["notes"]


def test_losses_with_seeds_of_their_own_are_no_bad_input(tmp_path: Path) -> None:
    rows = ROWS[ROWS["dataset"] == "one"]
    path = tmp_path / "apart.csv"
    rows.assign(seed=rows["seed"] + 10 * (rows["method"] == "b")).to_csv(path, index=False)
    result = invoke("recommend", "--from", path, *META)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Use b with batch size")
    assert "Losses are not paired by seed, since they have different seeds." in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--data: is missing; the study has the data sets one, two"),
        (("--data", "tow"), "--data: got 'tow' (did you mean two?), must be one of one, two"),
        (("--data", "one", "--batch-size", "0"), "--batch-size: got '0.0', must be a number above 0"),
        (("--data", "one", "--batch-size", "nan"), "--batch-size: got nan, must be a finite number"),
        (("--data", "one", "--data-column", "nothing"), "nothing"),
    ],
)
def test_bad_input_is_one_line(words: tuple[str, ...], said: str, table: Path) -> None:
    result = invoke("recommend", "--from", table, *META, *words)
    assert result.exit_code == 2
    assert said in result.stderr.splitlines()[-1]
    assert not result.stdout


def test_what_a_table_without_data_sets_or_batch_sizes_lacks_is_one_line(tmp_path: Path) -> None:
    one = ROWS[ROWS["dataset"] == "one"].drop(columns="dataset")
    one.to_csv(tmp_path / "one.csv", index=False)
    result = invoke("recommend", "--from", tmp_path / "one.csv", *META, "--data", "x")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("study: --data: got 'x'; the study has one data set, without a name\n")
    without = one[one["batch_size"] == 64].drop(columns="batch_size")
    without.to_csv(tmp_path / "without.csv", index=False)
    result = invoke("recommend", "--from", tmp_path / "without.csv", *META[:4], "--batch-size", 64)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("study: --batch-size: the study has no batch sizes\n")


def test_the_only_batch_size_of_a_table_needs_no_axis(tmp_path: Path) -> None:
    """A column with one value is a setting, and what is asked for it has an answer all the same."""
    one = ROWS[(ROWS["dataset"] == "one") & (ROWS["batch_size"] == 64)].drop(columns="dataset")
    one.to_csv(tmp_path / "one.csv", index=False)
    meta = ("--from", tmp_path / "one.csv", *META[:4])
    result = invoke("recommend", *meta, "--batch-size", 64)
    assert result.stdout.startswith("Use b with tau 0.2; every other loss is shown to be worse.\n")
    lines = invoke("recommend", *meta, "--batch-size", 100).stdout.splitlines()
    assert lines[0] == "Cannot tell: every trial has batch size 64, none has 100."
    assert lines[1].startswith("At batch size 64: Use b with tau 0.2; ")


def test_a_study_or_a_table_is_named() -> None:
    for words in ((), ("quickstart", "--from", "x.csv")):
        result = invoke("recommend", *words)
        assert (result.exit_code, result.stderr) == (2, "study: name either a STUDY or a table with --from\n")
    result = invoke("recommend", "quickstart", "--metric", "x")
    assert (result.exit_code, result.stderr) == (2, "study: --metric: only with --from\n")


def test_a_store_and_its_bundle_say_the_same_and_are_not_written(
    finished: Finished, packed: Path, tmp_path: Path
) -> None:
    before = digests(finished.store)
    found = invoke("recommend", finished.study, "--store", finished.store)
    assert found.exit_code == 0, found.output
    assert found.stdout.startswith("Cannot tell: ")
    assert digests(finished.store) == before
    # the bundle remembers its first complete look, and the store has none yet
    assert invoke("recommend", packed).stdout == found.stdout.replace(f" {NOT_KEPT}", "")
