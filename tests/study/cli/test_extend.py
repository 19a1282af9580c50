"""`study extend` adds what is asked for and keeps the rest of the file; only new trials are missing afterwards."""

import tomllib
from pathlib import Path

import pytest

from study.archive import read_archive
from study.cli.extend import edited_text
from study.launch.start import Workers, launch_trials, prepare_store
from study.loaded import load_study
from tests.study.conftest import TINY, WriteStudy
from tests.study.running import invoke

SOBOL = ("[losses.kcl]\nt = [2.0]", '[search]\ndesign = "sobol"\npoints = 4')
WIDE = ("[0.1, 0.5]", "{ log = [0.1, 0.5] }")
OPTUNA = ("[losses.kcl]\nt = [2.0]", '[search]\ndesign = "optuna"\ntrials = 4')


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def ids(study: Path, store: Path) -> set[str]:
    plan = load_study(str(study), str(store), None).plan
    return {trial.keys.trial_id for trial in plan.trials}


def run(study: Path, store: Path) -> int:
    """Run what is missing in this process; how many trials that were."""
    loaded = load_study(str(study), str(store), None)
    prepare_store(str(study), loaded)
    missing = loaded.plan.missing
    if missing:
        launch_trials(loaded, missing, Workers(count=1, runner="inline"))
    return len(missing)


def extend(study: object, store: Path, *words: object) -> str:
    result = invoke("extend", study, "--store", store, *words)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_study_grows_and_only_what_is_new_runs(write_study: WriteStudy, store: Path) -> None:
    study = write_study(("[8, 16]", "[8]"), ("[0.1, 0.5]", "[0.1]"))
    assert run(study, store) == 4
    output = extend(study, store, "--seeds", "1,2", "--axis", "ntxent.temperature=0.5", "--loss", "dcl")
    spec = tomllib.loads(study.read_text())
    assert spec["seeds"] == [0, 1, 2]
    assert spec["losses"] == {"ntxent": {"temperature": [0.1, 0.5]}, "kcl": {"t": [2.0]}, "dcl": {}}
    loaded = load_study(str(study), str(store), None)
    counts = loaded.plan.counts()
    assert counts["trials"] - counts["missing"] == 4
    assert f"all {counts['trials']} 4 {counts['missing']}" in " ".join(output.split())
    assert read_archive(loaded) is not None  # the same study: its name is not refused
    assert prepare_store(str(study), loaded) is None


def test_the_earlier_text_is_kept_whatever_is_there(write_study: WriteStudy, store: Path) -> None:
    study = write_study()
    for number, seed in enumerate((2, 3), start=1):
        before = study.read_text()
        extend(study, store, "--seeds", seed)
        assert study.with_name(f"tiny.toml.before-{number}").read_text() == before
    assert tomllib.loads(study.read_text())["seeds"] == [0, 1, 2, 3]


def test_a_loss_without_a_default_rate_says_how_to_give_one(write_study: WriteStudy, store: Path) -> None:
    study = write_study(
        ("steps = 3", 'steps = 3\noptimizer = "adam"'), ("t = [2.0]", "t = [2.0]\nlr = 0.01"),
        ("[0.1, 0.5]", "[0.1]\nlr = 0.001"),
    )  # fmt: skip
    refused = invoke("extend", study, "--store", store, "--loss", "infonce", "--loss", "dcl")
    assert refused.exit_code == 2
    assert refused.stderr.strip().startswith("study: extend: losses.infonce.lr, losses.dcl.lr: are missing; ")
    assert refused.stderr.strip().endswith("; here with --axis infonce.lr=RATE --axis dcl.lr=RATE")
    extend(study, store, "--loss", "infonce", "--axis", "infonce.lr=0.002")
    assert tomllib.loads(study.read_text())["losses"]["infonce"] == {"lr": [0.002]}


def test_comments_and_layout_stay() -> None:
    text = (
        'name = "a"  # its name\nseeds = [\n  0,  # the first\n]\n# axes\n[axes]\nbatch_size = [8] # small\n'
    )
    keys = {"seeds": [0, 1], "axes": {"batch_size": [8, 16]}, "losses": {"dhel": {}}, "metric": "knn"}
    edited = edited_text(text, keys)
    for comment in ("# its name", "0,  # the first", "# axes", "[8, 16] # small"):
        assert comment in edited
    assert tomllib.loads(edited) == {"name": "a", **keys}


def test_comments_keep_their_column_and_new_tables_stand_apart() -> None:
    text = (
        "seeds = [0]            # first\nn = [\n  1,\n]  # many\n\n[losses.dhel]\nt = 1     # one\n"
        "[search]\nx = 1\n"
    )
    keys = {
        "seeds": [0, 1],
        "n": [1, 2],
        "losses": {"dhel": {"t": [1, 200, 300, 400]}, "kcl": {}, "dcl": {"t": 1}},
    }
    assert edited_text(text, keys) == (
        "seeds = [0, 1]         # first\nn = [\n  1,\n  2,\n]  # many\n\n[losses.dhel]\nt = [1, 200, 300, 400] # one"
        "\n\n[losses.kcl]\n\n[losses.dcl]\nt = 1\n\n[search]\nx = 1\n"
    )


def test_a_new_file_extends_the_old_and_shares_its_records(
    write_study: WriteStudy, store: Path, tmp_path: Path
) -> None:
    study, out = write_study(("[8, 16]", "[8]"), ("[0.1, 0.5]", "[0.1]")), tmp_path / "sub" / "grown.toml"
    out.parent.mkdir()
    run(study, store)
    extend(study, store, "--axis", "batch_size=16", "--out", out)
    assert tomllib.loads(out.read_text()) == {
        "name": "grown", "extends": "../tiny.toml", "axes": {"batch_size": [8, 16]}
    }  # fmt: skip
    assert study.read_text() == TINY.replace("[8, 16]", "[8]").replace("[0.1, 0.5]", "[0.1]")
    assert run(out, store) == 4  # of 8
    assert invoke("extend", study, "--seeds", "7", "--out", out).exit_code == 2


def test_a_shipped_study_is_extended_by_a_new_file(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "more.toml"
    extend("quickstart", store, "--seeds", "5", "--out", out)
    assert tomllib.loads(out.read_text()) == {
        "name": "more", "extends": "quickstart", "seeds": [0, 1, 2, 3, 4, 5]
    }  # fmt: skip


def test_the_default_range_of_a_loss_becomes_its_values(write_study: WriteStudy, store: Path) -> None:
    study = write_study(("[losses.kcl]\nt = [2.0]", "[losses.dcl]"))
    before = ids(study, store)
    extend(study, store, "--axis", "temperature=0.011")
    losses = tomllib.loads(study.read_text())["losses"]
    assert losses["ntxent"]["temperature"] == [0.1, 0.5, 0.011]
    assert losses["dcl"]["temperature"][-1] == 0.011
    assert before < ids(study, store)


def test_a_range_keeps_its_weight_in_scores(write_study: WriteStudy, store: Path) -> None:
    study = write_study(("[0.1, 0.5]", "{ linear = [0.1, 0.5], points = 3 }"))
    extend(study, store, "--axis", "ntxent.temperature=0.9")
    axis = tomllib.loads(study.read_text())["losses"]["ntxent"]["temperature"]
    assert axis == {"values": [0.1, 0.3, 0.5, 0.9], "measure": "linear"}


def test_what_was_fixed_may_become_an_axis(write_study: WriteStudy, store: Path) -> None:
    study = write_study()
    before = ids(study, store)
    extend(study, store, "--axis", "steps=6", "--axis", "weight_decay=1e-4", "--axis", "selection=fixed")
    axes = tomllib.loads(study.read_text())["axes"]
    assert axes == {
        "batch_size": [8, 16],
        "steps": [3, 6],
        "weight_decay": [1e-06, 1e-4],
        "selection": ["shuffle", "fixed"],
    }
    assert before < ids(study, store)


def test_a_loss_of_a_label_of_its_own(write_study: WriteStudy, store: Path) -> None:
    study = write_study()
    words = ("--axis", "light.gamma=4", "--axis", "light.t=1,2", "--axis", "light.lr=0.1")
    extend(study, store, "--loss", "light=kcl", *words)
    light = tomllib.loads(study.read_text())["losses"]["light"]
    assert light == {"loss": "kcl", "gamma": [4], "t": [1, 2], "lr": [0.1]}


def test_a_file_that_extends_another_says_its_own_keys(
    write_study: WriteStudy, store: Path, tmp_path: Path
) -> None:
    write_study()
    study = tmp_path / "own.toml"
    study.write_text('extends = "tiny.toml"\nname = "own"\nwithout = ["losses.kcl"]\n')
    extend(study, store, "--seeds", "2", "--axis", "ntxent.temperature=1", "--loss", "kcl")
    assert tomllib.loads(study.read_text()) == {
        "extends": "tiny.toml", "name": "own", "without": ["losses.kcl"], "seeds": [0, 1, 2],
        "losses": {"ntxent": {"temperature": [0.1, 0.5, 1]}, "kcl": {}},
    }  # fmt: skip


def test_more_points_go_on_with_the_nested_sequence(write_study: WriteStudy, store: Path) -> None:
    study = write_study(SOBOL, WIDE, ("[8, 16]", "{ log = [8, 64] }"))
    before = ids(study, store)
    assert len(before) == 8
    extend(study, store, "--points", "8")
    assert before < ids(study, store)
    assert len(ids(study, store)) == 16


def test_more_trials_of_a_search(write_study: WriteStudy, store: Path) -> None:
    study = write_study(OPTUNA, WIDE)
    extend(study, store, "--trials", "6")
    assert tomllib.loads(study.read_text())["search"] == {"design": "optuna", "trials": 6}


def test_a_dry_run_writes_nothing(write_study: WriteStudy, store: Path, tmp_path: Path) -> None:
    study = write_study()
    before = sorted(tmp_path.iterdir())
    assert "seeds = [0, 1, 9]" in extend(study, store, "--seeds", "9", "--dry-run")
    assert (sorted(tmp_path.iterdir()), study.read_text()) == (before, TINY)


FAULTS = {
    "nothing": ((), [], ["nothing to add"]),
    "what is there": ((), ["--seeds", "0,1", "--axis", "batch_size=8"], ["nothing to add"]),
    "a loss that is there": ((), ["--loss", "kcl"], ["--loss", "kcl", "already"]),
    "an unknown loss": ((), ["--loss", "simsiam"], ["losses.simsiam", "allowed are"]),
    "an unknown axis": ((), ["--axis", "tau=1"], ["--axis", "tau", "batch_size", "ntxent, kcl"]),
    "an axis of another task": ((), ["--axis", "n_pairs=4"], ["got 'n_pairs', must be one of batch_size, lr"]),
    "an unknown field": ((), ["--axis", "kcl.tau=1"], ["kcl.tau", "gamma"]),
    "no value": ((), ["--axis", "batch_size"], ["--axis", "batch_size=512"]),
    "a seed in words": ((), ["--seeds", "two"], ["--seeds", "two"]),
    "a seed below 0": ((), ["--seeds=-1"], ["seeds", "-1"]),
    "a temperature of 0": ((), ["--axis", "ntxent.temperature=0"], ["temperature", "above 0", "got 0"]),
    "a batch above the data": ((), ["--axis", "batch_size=512"], ["batch_size", "512", "200"]),
    "points of a grid": ((), ["--points", "8"], ["--points", "sobol", "grid"]),
    "fewer points": ((SOBOL, WIDE), ["--points", "2"], ["--points", "2", "4"]),
    "points that are no power of two": ((SOBOL, WIDE), ["--points", "6"], ["points", "6", "power of two"]),
    "another axis of drawn points": (
        (SOBOL, WIDE), ["--axis", "batch_size=32"], ["no longer be part", "sobol"]
    ),
    "another range of a search": ((OPTUNA, WIDE), ["--axis", "batch_size=32"], ["another search"]),
    "a name that is none": ((), ["--seeds", "2", "--out", "a b.toml"], ["a b.toml"]),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_added_is_one_line(
    fault: str, write_study: WriteStudy, store: Path, tmp_path: Path
) -> None:
    replacements, words, said = FAULTS[fault]
    study = write_study(*replacements)
    text = study.read_text()
    result = invoke("extend", study, "--store", store, *words)
    assert result.exit_code == 2, result.output
    [line] = result.stderr.strip().splitlines()
    for word in said:
        assert word in line
    assert (study.read_text(), [path.name for path in tmp_path.iterdir()]) == (text, ["tiny.toml"])


def test_a_shipped_study_is_not_edited(store: Path) -> None:
    result = invoke("extend", "quickstart", "--store", store, "--seeds", "5")
    assert result.exit_code == 2
    assert "--out" in result.stderr
