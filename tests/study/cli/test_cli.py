"""The command line answers help, versions and mistakes as a user expects."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.study.conftest import WriteStudy
from tests.study.running import invoke


def loaded_modules(*words: str) -> set[str]:
    """Names of the heavy modules that a command has imported when it ends."""
    code = (
        "import sys\n"
        "from study.cli.main import main\n"
        "try: main(sys.argv[1:], standalone_mode=False)\n"
        "except SystemExit: pass\n"
        "heavy = ('torch', 'torchvision', 'ray', 'pandas', 'sklearn', 'pyarrow')\n"
        "print('\\n' + ' '.join(name for name in heavy if name in sys.modules))"
    )
    output = subprocess.check_output([sys.executable, "-c", code, *words], text=True)
    return set(output.splitlines()[-1].split())


def test_help_imports_nothing_heavy() -> None:
    assert loaded_modules("--help") == set()


def test_list_imports_neither_torch_nor_pandas() -> None:
    """Every command reads study files as `study list` does, so this is a part of each start-up."""
    assert loaded_modules("list") <= {"pyarrow"}


def test_status_imports_no_torch(write_study: WriteStudy, tmp_path: Path) -> None:
    heavy = loaded_modules("status", str(write_study()), "--store", str(tmp_path / "store"))
    assert heavy & {"torch", "torchvision", "ray"} == set()


@pytest.mark.parametrize("words", [("report", "--from"), ("import",)])
def test_a_table_that_is_not_there_is_told_before_anything_heavy_is_imported(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    command = (*words, tmp_path / "nope.csv", "--out", tmp_path / "out")
    assert "nope.csv: no such file" in invoke(*command).stderr
    assert loaded_modules(*map(str, command)) & {"pandas", "sklearn", "torch"} == set()


def test_list_names_everything() -> None:
    output = invoke("list").output
    for name in ("quickstart", "cifar10_smoke", "cifar10_protocol", "dhel", "kcl", "digits", "resnet18"):
        assert name in output


def test_flow_from_file_to_report(write_study: WriteStudy, tmp_path: Path) -> None:
    """The whole of it in one process: plan, run, a second run, status, report."""
    study, store = write_study(), tmp_path / "store"
    counts = json.loads(invoke("plan", study, "--store", store, "--json").stdout)
    assert (counts["trials"], counts["missing"]) == (12, 12)
    assert counts["estimated_seconds"] > 0
    assert not store.exists()

    first = invoke("run", study, "--store", store, "--runner", "inline")
    assert first.exit_code == 0, first.output
    page = store / "studies" / "tiny" / "report.html"
    assert str(page) in first.output.replace("\n", "")
    records = sorted((store / "records").iterdir())
    assert len(records) == 12 + 1  # and the file in which they were joined

    before = page.read_bytes()
    stamps = [path.stat().st_mtime_ns for path in records]
    again = invoke("run", study, "--store", store, "--runner", "inline")
    assert again.exit_code == 0
    assert "nothing to run" in again.output
    assert [path.stat().st_mtime_ns for path in sorted((store / "records").iterdir())] == stamps
    assert page.read_bytes() == before

    summary = json.loads(invoke("status", study, "--store", store, "--json").output)
    statuses = ("ok", "diverged", "crashed", "oom", "timeout", "pruned", "missing")
    assert summary["study"] == "tiny"
    assert sum(summary[status] for status in statuses) == summary["trials"] == 12
    assert summary["ok"] == 12
    assert invoke("report", study, "--store", store).exit_code == 0


@pytest.mark.parametrize(
    ("how", "status", "error"),
    [
        ("raise", "crashed", "RuntimeError: the batch is too large"),
        ("nan", "diverged", "Diverged"),
        ("memory", "oom", "RuntimeError: batch size 16, peak memory"),
    ],
)
@pytest.mark.slow
def test_failures_are_rows(
    how: str, status: str, error: str, write_study: WriteStudy, tmp_path: Path
) -> None:
    own = f'[losses."tests.study.own_loss:Explodes"]\nhow = ["{how}"]\nat = [12]\nlr = 0.1'
    study, store = write_study(("[losses.kcl]\nt = [2.0]", own)), tmp_path / "store"
    result = invoke("run", study, "--store", store, "--runner", "inline")
    assert result.exit_code == 0, result.output
    assert error in result.output.replace("\n", "")
    counts = json.loads(invoke("status", study, "--store", store, "--json").output)
    assert (counts["ok"], counts[status], counts["missing"]) == (10, 2, 0)
    again = invoke("run", study, "--store", store, "--runner", "inline")
    assert "nothing to run" in again.output


@pytest.mark.slow
def test_brackets_in_names_and_messages_are_text(write_study: WriteStudy, tmp_path: Path) -> None:
    label = "[losses.'x[/y] [red]']\nloss = 'ntxent'\ntemperature = [0.3]"
    study = write_study(("[losses.kcl]\nt = [2.0]", label))
    result = invoke("plan", study, "--store", tmp_path / "st[/]ore")
    assert result.exit_code == 0, result.output
    assert "x[/y] [red]" in result.output


@pytest.mark.slow
def test_a_damaged_record_is_named_set_aside_and_run_again(write_study: WriteStudy, tmp_path: Path) -> None:
    study, store = write_study(), tmp_path / "store"
    invoke("run", study, "--store", store, "--runner", "inline")
    [joined] = (store / "records").glob("compact-*")
    joined.unlink()  # it has a copy of every record
    victim = sorted((store / "records").iterdir())[3]
    victim.write_bytes(victim.read_bytes()[:-20])
    status = invoke("status", study, "--store", store, "--json")
    assert victim.name in status.stderr
    assert json.loads(status.stdout)["missing"] == 1
    again = invoke("run", study, "--store", store, "--runner", "inline")
    assert "1 of 12 trials to run" in again.output
    assert [path.name.startswith(victim.name) for path in (store / "damaged").iterdir()] == [True]
    assert json.loads(invoke("status", study, "--store", store, "--json").stdout)["ok"] == 12


def test_one_trial_repeats_its_record_to_the_bit(write_study: WriteStudy, tmp_path: Path) -> None:
    study, store = write_study(), tmp_path / "store"
    shown = invoke("trial", study, "--store", store, "--put")
    assert shown.exit_code == 0, shown.output
    assert "test_probe10_accuracy" in shown.output
    assert ["attempt", "0"] in [line.split() for line in shown.output.splitlines()]  # of no unit
    [record] = (store / "records").iterdir()
    again = invoke("trial", study, record.name[:8], "--store", store)
    assert "equals it to the bit" in again.output.replace("\n", " ")
    assert "attempt" not in again.output  # nothing is stored
