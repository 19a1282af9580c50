"""A user's own files beside ours: files with the names of modules break no command, and own code is found."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from study.cli.main import main
from tests.study.conftest import TINY
from trainables.own_code import import_object, use_own_folders
from trainables.own_files import own_code_of
from trainables.store.records import RecordStore

#: Modules of ours, of the standard library and of installed packages that commands import.
TAKEN = (
    "analysis", "study", "trainables", "search_spaces",
    "random", "tempfile", "multiprocessing", "pickle", "json",
    "torch", "pandas", "numpy", "click", "ray",
)  # fmt: skip

OWN_LOSS = """
from dataclasses import dataclass

@dataclass(frozen=True, kw_only=True)
class Pull:
    strength: float = 1.0

    def __call__(self, z_a, z_b):
        return self.strength * (z_a - z_b).square().sum(-1).mean()
"""

OWN_TABLE = '[losses."own_module:Pull"]\nstrength = [1.0]\nlr = 0.1'

IMAGES = TINY.replace("[losses.kcl]\nt = [2.0]", OWN_TABLE)

SPHERE = f"""
name = "tiny_sphere"
task = "sphere"
seeds = [0]

[sphere]
n_pairs = 8
dim = 16

[training]
steps = 2

[axes]
batch_size = [4]

{OWN_TABLE}
"""


@pytest.fixture(autouse=True)
def path_as_before() -> Iterator[None]:
    """Leaves no folder of a test among those of the user."""
    yield
    use_own_folders()


@pytest.fixture
def taken(tmp_path: Path) -> Path:
    """A folder with a file for each name in `TAKEN` that raises at import."""
    folder = tmp_path / "taken"
    folder.mkdir()
    for name in TAKEN:
        (folder / f"{name}.py").write_text(
            f'raise RuntimeError("the file {name}.py of the user was imported")\n'
        )
    return folder


def write_own(folder: Path, study: str) -> Path:
    """A study and the loss that it names, beside each other."""
    (folder / "own_module.py").write_text(OWN_LOSS)
    path = folder / "own.toml"
    path.write_text(study)
    return path


def call(folder: Path, *words: object) -> str:
    """What `study` prints when it runs in a folder; it must succeed."""
    command = [str(Path(sys.executable).parent / "study"), *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_names_of_modules_are_free_in_both_folders(taken: Path, tmp_path: Path) -> None:
    """`study trial` finds the loss beside the study file from a working directory elsewhere; both hold such names."""
    beside = tmp_path / "beside"
    beside.mkdir()
    for file in taken.iterdir():
        (beside / file.name).write_text(file.read_text())
    study = write_own(beside, SPHERE)
    assert "own_module:Pull" in call(taken, "trial", study, "--store", tmp_path / "store", "--put")
    assert len(list((tmp_path / "store" / "records").iterdir())) == 1


@pytest.mark.slow
def test_the_command_that_runs_a_trial_again_finds_the_loss(tmp_path: Path) -> None:
    """It names the copy of the study file in the store, and the loss lies beside the file that was copied."""
    beside, store = tmp_path / "beside", tmp_path / "store"
    beside.mkdir()
    call(beside, "run", write_own(beside, SPHERE), "--store", store, "--runner", "inline")
    [key] = [path.name.partition(".")[0] for path in (store / "records").iterdir()]
    again = json.loads(call(tmp_path, "show", key, "--store", store, "--json"))["again"]
    assert str(store / "studies" / "tiny_sphere" / "study.toml") in again
    assert "equals it to the bit" in " ".join(call(tmp_path, *again.split()[1:]).split())


@pytest.mark.slow
def test_an_edit_of_a_helper_runs_the_trials_again(tmp_path: Path) -> None:
    """Though another module imports it. `study verify` then agrees. An unrelated file changes nothing."""
    study, store = write_own(tmp_path, SPHERE), tmp_path / "store"
    factor, middle = tmp_path / "own_factor.py", tmp_path / "own_middle.py"
    factor.write_text("def factor():\n    return 1.0\n")
    middle.write_text("from own_factor import factor\n")
    (tmp_path / "own_module.py").write_text(
        OWN_LOSS.replace("        return", "        from own_middle import factor\n        return factor() *")
    )

    def run() -> tuple[int, set[float]]:
        call(tmp_path, "run", study, "--store", store, "--runner", "inline")
        rows = RecordStore(store).read().table.to_pylist()
        return len(rows), {row["train_loss_first"] for row in rows}

    assert run()[0] == 1
    (tmp_path / "own_unrelated.py").write_text("x = 1\n")
    (tmp_path / "notes.txt").write_text("edited")
    assert json.loads(call(tmp_path, "status", study, "--store", store, "--json"))["missing"] == 0
    factor.write_text("def factor():\n    return 3.0\n")
    count, (low, high) = (found := run())[0], sorted(found[1])
    assert count == 2
    assert high == pytest.approx(3 * low)
    verified = json.loads(call(tmp_path, "verify", study, "--store", store, "--json"))
    assert verified["reproduced"] == 1


@pytest.mark.slow
def test_a_plan_lists_the_own_code_in_the_ids(tmp_path: Path) -> None:
    """And what is not: as lines, folded if there are many, and completely in `--json`."""
    helpers = [f"own_part_{number}" for number in range(7)]
    for name in helpers:
        (tmp_path / f"{name}.py").write_text("x = 1\n")
    study = write_own(tmp_path, SPHERE)
    (tmp_path / "own_module.py").write_text(
        f"import {', '.join(helpers)}\n{OWN_LOSS}\n"
        'def unused(name):\n    __import__(name)\n    return open("table.csv")\n'
    )
    plan = ["plan", str(study), "--store", str(tmp_path / "store")]
    lines = CliRunner().invoke(main, plan).stdout.splitlines()
    shown = ", ".join(f"{name}.py" for name in helpers[:5])
    assert f"Own code in the ids: own_module.py, {shown} and 2 more." in lines
    assert "Not followed, so not in the ids: __import__(name) (own_module.py, line 13)." in lines
    assert "Data files that own code opens, not in the ids: table.csv (own_module.py, line 14)." in lines
    facts = json.loads(CliRunner().invoke(main, [*plan, "--json"]).stdout)
    assert facts["own_code"] == {
        "files": ["own_module.py", *(f"{name}.py" for name in helpers)],
        "not_followed": ["__import__(name) (own_module.py, line 13)"],
        "opened": ["table.csv (own_module.py, line 14)"],
    }
    built_in = json.loads(CliRunner().invoke(main, ["plan", "uniformity_measures", "--json"]).stdout)
    assert "own_code" not in built_in


@pytest.mark.slow
def test_prints_of_own_code_are_no_results_and_a_plan_lists_what_only_a_run_loads(tmp_path: Path) -> None:
    """Of imports, trial calls, timed steps and trials that run again."""
    study = write_own(tmp_path, SPHERE)
    (tmp_path / "own_late.py").write_text("print('late')\n")
    loads = "print('import')\nimport importlib\nload = importlib.import_module\nload('own_late')\n"
    (tmp_path / "own_module.py").write_text(
        loads + OWN_LOSS.replace("        return", "        print('call')\n        return")
    )
    store = ("--store", tmp_path / "store")
    facts = json.loads(call(tmp_path, "plan", study, *store, "--json"))
    assert facts["price_from"] == "timed"
    assert facts["own_code"]["not_followed"] == ["own_late.py, which own_module:Pull loads as own_late"]
    call(tmp_path, "trial", study, *store, "--put")
    assert json.loads(call(tmp_path, "verify", study, *store, "--json"))["reproduced"] == 1


def test_the_working_directory_is_searched_after_the_folder_of_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, working = tmp_path / "beside", tmp_path / "working"
    for folder in (beside, working):
        folder.mkdir()
        (folder / "own_in_both.py").write_text(f"class Place:\n    folder = {folder.name!r}\n")
    (working / "own_in_working.py").write_text("class Place: ...\n")
    monkeypatch.chdir(working)
    before = list(sys.path)
    use_own_folders(beside)
    assert sys.path == [*before, str(beside), str(working)]
    assert import_object("own_in_both:Place", "loss").folder == "beside"
    assert own_code_of("own_in_working:Place").source == b"class Place: ...\n"
    use_own_folders()
    assert sys.path == [*before, str(working)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[losses.kcl]\nt = [2.0]", '[losses."{}:MyLoss"]\nlr = 0.1'),
        ('name = "small_conv"', 'name = "{}:MyNet"'),
        ('name = "digits"', 'name = "{}:open_mine"'),
    ],
    ids=["loss", "encoder", "data"],
)
@pytest.mark.parametrize(
    ("module", "file", "winner"),
    [
        ("random", "random.py", "the module 'random' of the standard library"),
        ("time", "time.py", "the module 'time' of the standard library"),  # built into Python, without a file
        ("pandas", "pandas/__init__.py", "the installed package 'pandas' ("),
        ("pandas.mine", "pandas/mine.py", "the installed package 'pandas' ("),
        ("analysis", "analysis.py", "the package 'analysis' of this platform"),
        ("study.mine", "study/mine.py", "the package 'study' of this platform"),
    ],
)
@pytest.mark.parametrize("where", ["beside", "working"])
def test_a_file_that_another_module_hides_is_refused(
    old: str,
    new: str,
    module: str,
    file: str,
    winner: str,
    where: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of the study file's folder and the working directory alike, before anything is written."""
    for folder in ("beside", "working"):
        (tmp_path / folder).mkdir()
    hidden = tmp_path / where / file
    hidden.parent.mkdir(exist_ok=True)
    hidden.write_text('raise RuntimeError("imported")\n')
    assert old in TINY
    study = tmp_path / "beside" / "tiny.toml"
    study.write_text(TINY.replace(old, new.format(module)))
    monkeypatch.chdir(tmp_path / "working")
    result = CliRunner().invoke(main, ["plan", str(study), "--store", str(tmp_path / "store")])
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert f"got '{module}:" in line
    assert f"but Python finds {winner}" in line
    assert f"before {hidden}; rename the file or its folder" in line
    assert not (tmp_path / "store").exists()


def test_a_module_of_an_earlier_study_hides_one_of_its_name(tmp_path: Path) -> None:
    """One process reads two studies, as `study compare` does; each has an `own_twin.py` of its own."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own_twin.py").write_text("class Loss: ...\n")
    use_own_folders(tmp_path / "first")
    import_object("own_twin:Loss", "loss")
    use_own_folders(tmp_path / "second")
    with pytest.raises(ValueError, match=rf"before {tmp_path}/second/own_twin.py"):
        import_object("own_twin:Loss", "loss")


@pytest.mark.slow
def test_plan_times_trials_beside_such_names(taken: Path) -> None:
    """Processes that time trials import neither of them, and find the user's loss."""
    write_own(taken, IMAGES)
    counts = json.loads(call(taken, "plan", "own.toml", "--store", "store", "--json"))
    assert counts["missing"] == 12
    assert counts["estimated_seconds"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["inline", pytest.param("ray", marks=pytest.mark.ray)])
def test_run_beside_such_names(runner: str, taken: Path, tmp_path: Path) -> None:
    """Ray's workers import none of them, find the user's loss, and work where the command was called."""
    loss = OWN_LOSS.replace(
        "        return", '        assert open("here.txt").read() == "here"\n        return'
    )
    write_own(taken, IMAGES)
    (taken / "own_module.py").write_text(loss)
    (taken / "here.txt").write_text("here")
    call(taken, "run", "own.toml", "--store", "store", "--runner", runner)
    counts = json.loads(call(taken, "status", "own.toml", "--store", "store", "--json"))
    assert (counts["ok"], counts["missing"]) == (12, 0)
    if runner == "inline":
        verified = call(taken, "verify", "own.toml", "--store", "store", "--sample", "1", "--json")
        assert json.loads(verified)["reproduced"] == 1
