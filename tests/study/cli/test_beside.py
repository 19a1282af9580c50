"""`study run STUDY --loss LOSS` trains only that loss, beside the rows that came with the study."""

import dataclasses
import shutil
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from study.cli.beside import own_loss
from study.errors import StudyError
from study.loaded import load_study
from study.report.beside import check_settings, evenly, trials_beside
from study.report.evidence import RECORDS_FILE, read_evidence, write_evidence
from study.spec.expand import PlannedTrial
from tests.study.conftest import TINY
from tests.study.running import invoke, records, run_missing
from trainables.store.records import RecordStore

STUDY = TINY.replace("[0.1, 0.5]", "{ log = [0.1, 0.9], points = 3 }").replace(
    "[losses.kcl]", "[losses.dcl]\ntemperature = [0.5]\nbatch_size = [16]\n[losses.kcl]"
)

OWN = "tests.study.own_loss"


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study file and of the rows that come with it. No test changes it."""
    folder = tmp_path_factory.mktemp("came")
    (folder / "tiny.toml").write_text(STUDY)
    write_evidence(run_missing(folder / "tiny.toml", folder / "store"), folder)
    shutil.rmtree(folder / "store")
    return folder


@pytest.fixture
def study(ran: Path, tmp_path: Path) -> Path:
    """A copy of the study file and its rows."""
    shutil.copytree(ran, tmp_path / "came")
    return tmp_path / "came" / "tiny.toml"


def run(study: Path, store: Path, *words: object) -> str:
    result = invoke("run", study, "--store", store, "--runner", "inline", *words)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def entry(study: Path, word: str, *axes: str) -> tuple[dict[str, object], str]:
    """The table of an own loss, and the note on it."""
    loaded = load_study(str(study), str(study.parent / "store"), None)
    own = own_loss(word, axes, loaded.study_file.spec, loaded.plan.trial_set, "ntxent")
    return dict(own.table), own.note


def test_only_the_own_loss_trains_and_the_rows_stay(study: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in study.parent.iterdir() if path.is_file()}
    store, loss = tmp_path / "mine", f"{OWN}:Sharp"
    output = run(study, store, "--loss", loss, "--repeat", "4")
    rows = RecordStore(store).read().table.to_pylist()
    # 2 seeds x 2 batch sizes x 3 temperatures, and 4 that run again
    assert Counter(row["loss"] for row in rows) == {loss: 12, "ntxent": 2, "dcl": 1, "kcl": 1}
    assert {row["seed"] for row in rows if row["loss"] != loss} == {0}
    assert "16 of 16 trials to run" in output
    assert f"Only {loss} was trained here; the 18 trials of the other 3 losses came with the study." in output
    assert (
        "4 of these trials ran again here: they differ by 0.0 points on average, at most 0.0" in output
    )  # this machine
    assert "Different images" not in output
    page = (store / "studies" / f"tiny-{OWN}-Sharp" / "report.md").read_text()
    assert "Shipped rows and rows trained here" in page
    assert "18 trials" in page
    assert {path.name: path.read_bytes() for path in study.parent.iterdir() if path.is_file()} == before
    kept = records(store)
    again = run(study, store, "--loss", loss, "--repeat", "4")
    assert "all 16 trials are done, nothing to run" in again
    assert records(store) == kept


def test_a_later_version_of_the_study_file_is_confirmed_once(study: Path, tmp_path: Path) -> None:
    words = (
        "--store",
        tmp_path / "mine",
        "--runner",
        "inline",
        "--loss",
        f"mine={OWN}:pull",
        "--repeat",
        "0",
    )
    assert invoke("run", study, *words).exit_code == 0
    moved = Path(shutil.copytree(study.parent, tmp_path / "moved")) / study.name
    moved.write_text(f'description = "later"\n{moved.read_text()}')
    refused = invoke("run", moved, *words)
    assert refused.exit_code == 2
    assert "`study run --edited` says so once" in refused.output
    assert "nothing to run" in " ".join(invoke("run", moved, *words, "--edited").output.split())


@pytest.mark.slow
def test_other_images_are_said_and_decide_nothing(study: Path, tmp_path: Path) -> None:
    """The rows that came with the study are of other images and of an older version."""
    study.write_text(study.read_text().replace("temperature = [0.5]", "temperature = [0.4, 0.5]"))
    rows = pq.read_table(study.parent / RECORDS_FILE)
    frame = rows.to_pandas().assign(numerics_version=1, data_fingerprint="f" * 16, data="other")
    frame["test_probe10_accuracy"] -= 0.125
    changed = (
        type(rows).from_pandas(frame, preserve_index=False).replace_schema_metadata(rows.schema.metadata)
    )
    pq.write_table(changed, study.parent / RECORDS_FILE)
    output = run(study, tmp_path / "mine", "--loss", f"mine={OWN}:Spread", "--repeat", "2")
    assert "have numerics version 1; trials here have 2" in output
    assert "Different images: the shipped rows are on other, the rows trained here on digits" in output
    assert "2 of these trials ran again here: they differ by " in output
    assert "Failed check “Protocol differs”" in output
    page = (tmp_path / "mine" / "studies" / "tiny-mine" / "report.md").read_text()
    assert "Base learning rate of mine: that of ntxent, not tuned for this loss." in page
    assert "| Numerics version | 1 | 2 |" in page
    assert page.count("Different settings: ") == 1
    assert "0.5 in the shipped rows, 0.4 and 0.5 in the rows trained here." in page


def test_an_own_loss_has_the_temperatures_of_the_reference(study: Path) -> None:
    table, note = entry(study, f"{OWN}:Sharp")
    assert table == {
        "sharpness": [5.0, pytest.approx(0.5 / 0.3, rel=1e-5), pytest.approx(0.5 / 0.9, rel=1e-5)],
        "lr": 0.1,
    }
    assert note == ""


def test_axes_replace_the_defaults(study: Path) -> None:
    axes = ("mine.sharpness=1,2", "mine.lr=0.5")
    assert entry(study, f"mine={OWN}:Sharp", *axes) == (
        {"loss": f"{OWN}:Sharp", "sharpness": [1, 2], "lr": [0.5]},
        "",
    )


def test_a_loss_without_a_range_runs_at_its_defaults_and_says_so(study: Path) -> None:
    table, note = entry(study, f"{OWN}:Spread")
    assert table == {"lr": 0.1}
    assert "runs at its defaults" in note
    assert f"--axis {OWN}:Spread.weight=V,V sweeps one" in note
    assert "has no hyperparameters" in entry(study, f"{OWN}:pull")[1]
    assert entry(study, "dhel")[1] == ""  # a built-in loss has its default range


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--loss", "dcl"], "--loss: got 'dcl', which the study has already; name yours LABEL=dcl"),
        (["--loss", "nope"], "--loss: unknown loss 'nope'"),
        (["--loss", f"{OWN}:Nope"], f"--loss: got '{OWN}:Nope', which fails to import"),
        (
            ["--loss", "dhel", "--axis", "dcl.temperature=1"],
            "--axis: got 'dcl.temperature', must be dhel.FIELD",
        ),
        (["--axis", "dhel.temperature=1"], "--axis: only with --loss"),
        (["--repeat", "3"], "--repeat: only with --loss"),
    ],
)
def test_bad_input_is_one_line(study: Path, tmp_path: Path, words: list[str], message: str) -> None:
    result = invoke("run", study, "--store", tmp_path / "mine", "--runner", "inline", *words)
    assert result.exit_code == 2, result.output
    assert result.output.count("\n") == 1
    assert message in result.output
    assert not (tmp_path / "mine").exists()


def test_a_study_without_rows_is_one_line(study: Path, tmp_path: Path) -> None:
    (study.parent / RECORDS_FILE).unlink()
    result = invoke("run", study, "--store", tmp_path / "mine", "--loss", "dhel")
    assert result.exit_code == 2
    assert "no rows came with this study" in result.output
    result = invoke("run", "quickstart", "--store", tmp_path / "mine", "--loss", "mine=dcl")
    assert result.exit_code == 2
    assert "no rows came with this study" in result.output


def test_a_search_has_no_rows_to_stand_beside(study: Path, tmp_path: Path) -> None:
    text = study.read_text().replace("points = 3", "points = 4")
    study.write_text(text + '\n[search]\ndesign = "sobol"\npoints = 4\n')
    result = invoke("run", study, "--store", tmp_path / "mine", "--loss", "dhel")
    assert result.exit_code == 2
    assert "--loss: is for studies of design grid, and search.design is sobol" in result.output


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("steps = 3", "steps = 4", "training.steps is 3 in the rows and 4 in the file"),
        (
            "steps = 3",
            'steps = 3\nlr_schedule = "constant"',
            "training.lr_schedule is cosine in the rows and constant in the file",
        ),
        (
            "steps = 3",
            'steps = 3\ndecayed = "all"',
            "training.decayed is weights in the rows and all in the file",
        ),
        (
            "steps = 3",
            "steps = 3\nwarmup_epochs = 0",
            "training.warmup_epochs is not set in the rows and 0 in the file",
        ),
        (
            "projection_dim = 8",
            "projection_dim = 8\nhead_hidden = []",
            "encoder.head_hidden is one of the encoder's width in the rows and none in the file",
        ),
        ("draws = 2", "draws = 3", "probe.draws is 2 in the rows and 3 in the file"),
        ("train_limit = 200", "train_limit = 199", "data.train_limit is 200 in the rows and 199 in the file"),
        ("t = [2.0]", "t = [3.0]", "losses.t is 2 in the rows and 3 in the file"),
        ("[axes]", "[axes]\nlr = 0.3", "training.lr is 0.1 in the rows and 0.3 in the file"),
        (
            "[axes]",
            "[axes]\nmomentum = [0.1, 0.9]",
            "training.momentum is 0.9 in the rows and 0.1 and 0.9 in the file",
        ),
    ],
)
def test_rows_of_other_settings_are_refused(
    study: Path, tmp_path: Path, old: str, new: str, told: str
) -> None:
    """No loss that trains under the file's settings is compared with rows of others."""
    study.write_text(study.read_text().replace(old, new))
    result = invoke("run", study, "--store", tmp_path / "mine", "--loss", "dhel")
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert f"have other settings than its file, so no loss is compared with them: {told}\n" in result.output
    assert not (tmp_path / "mine").exists()


def test_rows_that_do_not_tell_a_setting_had_its_default(study: Path, tmp_path: Path) -> None:
    """Rows of an older version lack the settings that came later, whose defaults are what it did."""
    evidence = read_evidence(study.parent)
    older = tuple(item for item in evidence.info.settings if item.name != "training.lr_schedule")
    assert len(older) == len(evidence.info.settings) - 1
    evidence = dataclasses.replace(evidence, info=dataclasses.replace(evidence.info, settings=older))
    check_settings(load_study(str(study), str(tmp_path / "mine"), None), evidence)
    study.write_text(study.read_text().replace("steps = 3", 'steps = 3\nlr_schedule = "linear"'))
    with pytest.raises(StudyError, match="lr_schedule is cosine in the rows and linear in the file"):
        check_settings(load_study(str(study), str(tmp_path / "mine"), None), evidence)


def test_settings_without_effect_on_the_metric_may_differ(study: Path, tmp_path: Path) -> None:
    study.write_text(study.read_text().replace('["probe10"]', '["probe10", "knn"]'))
    check_settings(load_study(str(study), str(tmp_path / "mine"), None), read_evidence(study.parent))


def test_a_shipped_study_is_that_beside_its_rows(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The evidence on a shipped study may be on other images, which the file beside the rows names."""
    results = tmp_path / "results"
    shutil.copytree(study.parent, results / "quickstart")
    (results / "quickstart" / "tiny.toml").rename(results / "quickstart" / "study.toml")
    monkeypatch.setattr("study.report.evidence.RESULTS", results)
    output = run(Path("quickstart"), tmp_path / "mine", "--loss", f"{OWN}:pull", "--repeat", "1")
    file = results / "quickstart" / "study.toml"
    assert f"The rows of quickstart are those of {file}, so that study file is used." in output
    assert "Different images" not in output
    assert "1 of these trials ran again here: they differ by 0.0 points" in output
    assert (tmp_path / "mine" / "studies" / f"tiny-{OWN}-pull" / "report.md").exists()


def trials(study: Path) -> list[PlannedTrial]:
    return list(load_study(str(study), str(study.parent / "store"), None).plan.trials)


@pytest.mark.parametrize("count", [0, 1, 3, 5, 8, 100])
def test_repeated_trials_are_spread_evenly(study: Path, count: int) -> None:
    known = trials(study)  # at one seed: ntxent 2 x 3, dcl 1, kcl 2
    chosen = evenly([(trial, trial.config.task.training.batch_size) for trial in known], count)
    assert len(chosen) == min(count, 9)
    assert len({trial.keys.trial_id for trial in chosen}) == len(chosen)
    assert {trial.config.seed for trial in chosen} <= {0}
    losses = Counter(trial.arm for trial in chosen)
    if count == 3:
        assert losses == {"ntxent": 1, "dcl": 1, "kcl": 1}
        assert {trial.config.task.training.batch_size for trial in chosen} == {8, 16}
    if count == 5:
        assert losses == {"ntxent": 2, "dcl": 1, "kcl": 2}
        own = [trial.config for trial in chosen if trial.arm == "ntxent"]
        assert [config.task.training.batch_size for config in own] == [8, 16]
        assert {config.loss.params["temperature"] for config in own} == {0.3}  # the middle one


def test_failed_rows_do_not_run_again(study: Path, tmp_path: Path) -> None:
    evidence = read_evidence(study.parent)
    evidence.table.loc[evidence.table["arm"] == "ntxent", "status"] = "crashed"
    loaded = load_study(str(study), str(tmp_path / "mine"), None)
    chosen = trials_beside(loaded, "none", evidence, 100).plan.trials
    assert {trial.arm for trial in chosen} == {"dcl", "kcl"}
    evidence.table["status"] = "crashed"
    with pytest.raises(StudyError, match="have none of its trials"):
        trials_beside(loaded, "none", evidence, 100)
