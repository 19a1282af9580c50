"""A bundle of a stranger: what opens it runs nothing and writes only where it should."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.study.cli.conftest import Finished
from tests.study.running import invoke
from trainables.store.records import RecordStore

_REPOSITORY = Path(__file__).resolve().parents[3]

#: Modules that commands import, that Python imports at its start, and that libraries try to import.
PLANTED = (
    "pandas", "numpy", "click", "json", "study", "analysis", "trainables",
    "sitecustomize", "usercustomize",
    "my_losses", "mlflow", "wandb", "duckdb", "numexpr", "bottleneck", "tensorboard", "xarray", "cupy", "polars",
)  # fmt: skip

#: Imports modules of every optional kind, as a library of any version may do.
_TRY_ALL = "for name in {names}:\n    try: __import__(name)\n    except ImportError: pass\n"

COMMAND = re.compile(rb'"command":"[^"]*"')


@pytest.fixture
def planted(unpacked: Path) -> Path:
    """The bundle with files that leave a mark in `ran` when Python runs them."""
    for name in PLANTED:
        (unpacked / f"{name}.py").write_text(
            f"open({str(unpacked.parent / 'ran')!r}, 'a').write({name!r} + '\\n')\n"
        )
    (unpacked / "own.pth").write_text(
        f"import os; open({str(unpacked.parent / 'ran')!r}, 'a').write('pth')\n"
    )
    for path in (unpacked / "bundle.json", unpacked / "studies" / "tiny" / "study.toml"):
        path.write_text(path.read_text().replace("tests.study.cli.fragile_loss:", "my_losses:"))
    shutil.copytree(unpacked / "studies" / "tiny", unpacked.parent / "pages")
    return unpacked


def run_in(folder: Path, *words: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`study` as its own process in a folder. Python starts it as it starts an installed command."""
    script = folder.parent / "scripts" / "study"
    script.parent.mkdir(exist_ok=True)
    script.write_text("from study.cli.main import main\nmain()\n")
    return subprocess.run(
        [sys.executable, str(script), *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(_REPOSITORY), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["report", "studies/tiny/study.toml", "--store", "."], 0),
        (["show", "TRIAL", "--store", "."], 0),
        (["verify", ".", "--no-code"], 1),  # the planted name of the loss contradicts the records
        pytest.param(["compare", ".", "../other", "--out", "../both"], 0, marks=pytest.mark.slow),
        (["merge", ".", "--into", "../merged"], 0),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else None,
)
def test_nothing_in_a_bundle_runs(
    words: list[str], code: int, planted: Path, original: Finished, tmp_path: Path
) -> None:
    """The working directory is the bundle."""
    shutil.copytree(planted, tmp_path / "other")
    trial = original.rows[0]["trial_id"]
    done = run_in(planted, *(trial if word == "TRIAL" else word for word in words))
    assert done.returncode == code, done.stderr
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()


@pytest.mark.slow
def test_no_folder_of_the_user_is_on_the_path_of_any_process(planted: Path, tmp_path: Path) -> None:
    """Whatever a library would import, here or in a process that it starts."""
    script = (
        f"import sys, click\nfrom study.cli.options import guarded\nfrom study.report.bundle import open_bundle\n"
        f"from trainables.own_code import own_folders, spawned_processes\n"
        f"@click.command()\n@guarded\ndef command():\n"
        f"    with open_bundle('.') as bundle, spawned_processes(1) as pool:\n"
        f"        assert bundle and own_folders() == ()\n"
        f"        code = {_TRY_ALL.format(names=PLANTED[7:])!r}\n"
        f"        exec(code)\n"
        f"        pool.submit(exec, code).result()\n"
        f"if __name__ == '__main__': command()\n"
    )
    (tmp_path / "reads.py").write_text(script)
    done = subprocess.run(
        [sys.executable, tmp_path / "reads.py"],
        cwd=planted,
        env={**os.environ, "PYTHONPATH": str(_REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()


def test_an_empty_part_of_the_python_path_finds_nothing(planted: Path, tmp_path: Path) -> None:
    """It is the working directory, at the front. Python itself reads `sitecustomize` from there before we begin."""
    for name in ("sitecustomize", "usercustomize", "json", "click", "study", "analysis", "trainables"):
        (planted / f"{name}.py").unlink()
    done = run_in(planted, "status", ".", PYTHONPATH=f"{_REPOSITORY}:")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["plan"], ["run"], ["retry", "--status", "crashed"], ["trial"], ["verify"], ["claims"], ["watch"],
        ["cancel"], ["bundle"], ["extend", "--seeds", "7"], ["bench"],
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_commands_that_would_run_it_ask(
    words: list[str], planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(planted)
    store = [] if words == ["bench"] else ["--store", "."]
    result = invoke(words[0], "studies/tiny/study.toml", *store, *words[1:])
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert line == (
        f"study: study.toml: is in the bundle {planted} and would import 'my_losses:Fragile'; add --trust-code if "
        "you trust the author of the bundle"
    )
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_with_trust_it_runs(planted: Path, tmp_path: Path) -> None:
    shutil.copy(_REPOSITORY / "tests" / "study" / "cli" / "fragile_loss.py", planted / "my_losses.py")
    with (planted / "my_losses.py").open("a") as file:
        file.write(f"\nwith open({str(tmp_path / 'ran')!r}, 'a') as mark:\n    mark.write('my_losses ')\n")
    words = ("plan", "studies/tiny/study.toml", "--store", "../own", "--trust-code", "--json")
    done = run_in(planted, *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["missing"] == 12
    assert "my_losses " in (tmp_path / "ran").read_text()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'name = "digits"',
            'name = "my_data:open_mine"',
            "would import 'my_losses:Fragile', 'my_data:open_mine'",
        ),
        ('name = "small_conv"', 'name = "os:system"', "would import 'my_losses:Fragile', 'os:system'"),
        ('name = "digits"', 'name = "folder:/etc"', "read 'folder:/etc'"),
        ('name = "digits"', 'name = "parquet:../../x"', "read 'parquet:../../x'"),
        ('name = "digits"', 'name = "folder:~/photos"', "read 'folder:~/photos'"),
        ("draws = 2", 'draws = 2\ncorruptions = "npy:/srv"', "read 'npy:/srv'"),
        (
            "[axes]",
            '[tracking]\nmlflow = "http://x.example"\n[axes]',
            "send results to mlflow 'http://x.example'",
        ),
        ("[axes]", '[tracking]\nwandb = "someone/x"\n[axes]', "send results to wandb 'someone/x'"),
    ],
)
def test_what_a_study_of_a_stranger_would_do_is_said(old: str, new: str, said: str, planted: Path) -> None:
    study = planted / "studies" / "tiny" / "study.toml"
    assert old in study.read_text()
    study.write_text(study.read_text().replace(old, new))
    result = invoke("plan", study, "--store", planted.parent / "own")
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert said in line
    assert "--trust-code" in line


@pytest.mark.slow
def test_a_study_that_names_no_code_needs_no_trust(unpacked: Path, tmp_path: Path) -> None:
    study = unpacked / "studies" / "tiny" / "study.toml"
    text = study.read_text().replace('"tests.study.cli.fragile_loss:Fragile"', "dhel")
    study.write_text(text.replace('how = ["raise", "nan"]', "temperature = [0.1]"))
    result = invoke("plan", study, "--store", tmp_path / "own", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["missing"] == 8


def test_a_study_of_ones_own_needs_no_trust(original: Finished, unpacked: Path) -> None:
    """Its store is a bundle, which may be anybody's."""
    result = invoke("plan", original.study, "--store", unpacked, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["missing"] == 0


def test_a_study_that_extends_one_in_a_bundle_needs_trust(planted: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(f'name = "mine"\nextends = "{planted}/studies/tiny/study.toml"\n')
    result = invoke("plan", tmp_path / "mine.toml", "--store", tmp_path / "own")
    assert result.exit_code == 2
    assert f"mine.toml: is in the bundle {planted} and would import 'my_losses:Fragile'" in result.stderr


def test_a_study_in_a_bundle_extends_nothing_outside(
    unpacked: Path, original: Finished, tmp_path: Path
) -> None:
    study = unpacked / "studies" / "tiny" / "study.toml"
    study.write_text(f'name = "tiny"\nextends = "{original.study}"\n')
    result = invoke("report", study, "--store", unpacked)
    assert result.exit_code == 2
    assert f"study.toml: extends: got '{original.study}', which is outside of the bundle" in result.stderr


def test_a_linked_study_file_is_the_strangers(planted: Path, tmp_path: Path) -> None:
    study = planted / "studies" / "tiny" / "study.toml"
    shutil.move(study, tmp_path / "elsewhere.toml")
    study.symlink_to(tmp_path / "elsewhere.toml")
    result = invoke("plan", study, "--store", tmp_path / "own")
    assert result.exit_code == 2
    assert "--trust-code" in result.stderr


def test_origins_in_a_bundle_lead_nowhere(planted: Path, tmp_path: Path) -> None:
    """With trust, own code is found from the study file; `archive.json` may name any folder of this machine."""
    other = tmp_path / "other"
    other.mkdir()
    (planted / "my_losses.py").unlink()
    (other / "my_losses.py").write_text("raise RuntimeError('the other folder')\n")
    folder = planted / "studies" / "tiny"
    (folder / "archive.json").write_text(json.dumps({"origins": [str(other / "x.toml")], "trial_ids": []}))
    words = ("plan", folder / "study.toml", "--store", tmp_path / "own", "--trust-code")
    done = run_in(tmp_path, *words)
    assert done.returncode == 2
    assert "No module named 'my_losses'" in done.stderr


@pytest.mark.parametrize(
    "place",
    ["studies", "studies/tiny", "studies/tiny/report.html", "studies/tiny/tables", "records", "bundle.json"],
)
@pytest.mark.parametrize("command", ["report", "merge"])
def test_a_link_in_a_bundle_is_refused(place: str, command: str, unpacked: Path, tmp_path: Path) -> None:
    shutil.move(unpacked / place, tmp_path / "outside")
    (unpacked / place).symlink_to(tmp_path / "outside")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    words = [unpacked] if command == "report" else [unpacked, "--into", tmp_path / "merged"]
    result = invoke(command, *words)
    assert result.exit_code == 2
    assert f"{unpacked}: {place} is a link or a special file" in result.stderr
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("place", ["checkpoints", "studies/tiny/launches", "results"])
def test_a_store_in_a_bundle_writes_nowhere_else(
    place: str, original: Finished, unpacked: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    shutil.rmtree(unpacked / place, ignore_errors=True)
    (unpacked / place).symlink_to(tmp_path / "outside")
    store = unpacked / "results" if place == "results" else unpacked
    result = invoke("run", original.study, "--store", store, "--runner", "inline")
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert "links out of it" in line if place == "results" else f"{place} is a link" in line
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_pipe_in_a_bundle_is_refused(unpacked: Path) -> None:
    os.mkfifo(unpacked / "studies" / "tiny" / "launches" / "one.json")
    result = invoke("show", "0", "--store", unpacked)
    assert result.exit_code == 2
    assert "studies/tiny/launches/one.json is a link or a special file" in result.stderr


@pytest.mark.slow
def test_the_commands_read_a_packed_bundle(
    packed: Path, original: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not change, and no folder of its content stays behind."""
    taken = tmp_path / "taken.zip"
    shutil.copy(packed, taken)
    monkeypatch.chdir(tmp_path)
    before = taken.read_bytes()
    status = json.loads(invoke("status", "tiny", "--store", taken, "--json").stdout)
    assert (status["study"], status["trials"], status["ok"], status["missing"]) == ("tiny", 12, 8, 0)
    assert json.loads(invoke("status", taken, "--json").stdout) == status
    failures = invoke("failures", "tiny", "--store", taken)
    assert "4 of 12 recorded trials failed" in failures.stdout
    assert "tests.study.cli.fragile_loss:Fragile batch_size=16 how=nan seed=0" in failures.stdout
    assert "study retry" not in failures.stdout
    trial = original.rows[0]["trial_id"]
    shown = json.loads(invoke("show", trial, "--store", taken, "--json").stdout)
    assert (shown["trial_id"], shown["studies"], "again" in shown) == (trial, ["tiny"], False)
    result = invoke("merge", taken, "--into", "merged")
    assert "12 records copied to merged" in result.stdout
    assert len(RecordStore(tmp_path / "merged").read().table) == 12
    result = invoke("report", taken)
    assert result.exit_code == 0, result.output
    assert f"Report: {tmp_path}/taken-report/report.html" in result.stdout
    assert f"study show {original.ids('crashed')[0]} --store {taken}" in result.stdout
    page = (tmp_path / "taken-report" / "report.html").read_bytes()
    with zipfile.ZipFile(taken) as archive:
        written = archive.read("supplement/studies/tiny/report.html")
    # the commands of trials name the bundle
    assert b'"command":"study show {} --store ' in page
    assert COMMAND.sub(b"", page) == COMMAND.sub(b"", written)
    assert taken.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["merged", "taken-report", "taken.zip"]


def test_words_that_a_bundle_does_not_take(packed: Path, tmp_path: Path) -> None:
    for words, said in (
        (["status", "other", "--store", packed], "is a bundle of the study 'tiny'; got the study 'other'"),
        (["status", packed, "--watch"], "--watch: is not for a bundle"),
        (
            ["plan", packed],
            "must be a study file; that of an unpacked bundle is studies/NAME/study.toml in it",
        ),
        (["merge", tmp_path, "--into", packed], "is a packed bundle; unpack it, or name a store"),
        (["report", packed, "--metric", "x"], "--metric: only with --from"),
        (["status", tmp_path / "no.zip"], "no.zip: cannot be read (No such file or directory)"),
    ):
        result = invoke(*words)
        assert result.exit_code == 2
        [line] = result.stderr.splitlines()
        assert said in line


def test_the_report_of_a_bundle_goes_where_it_is_told(unpacked: Path, tmp_path: Path) -> None:
    before = (unpacked / "studies" / "tiny" / "report.html").stat().st_mtime_ns
    result = invoke("report", unpacked, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "report.html").exists()
    assert (unpacked / "studies" / "tiny" / "report.html").stat().st_mtime_ns == before


@pytest.mark.slow
def test_no_loss_is_imported_from_records(
    unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bundles of earlier versions have no settings; those of their records name losses by import path."""
    told = json.loads((unpacked / "bundle.json").read_text())
    told["info"]["settings"] = []
    (unpacked / "bundle.json").write_text(json.dumps(told))
    monkeypatch.delitem(sys.modules, "tests.study.cli.fragile_loss", raising=False)
    shutil.copytree(unpacked, tmp_path / "other")
    for sources in ([unpacked, tmp_path / "other"], [unpacked, unpacked.parent / "plain"]):
        if not Path(sources[1]).exists():
            shutil.copytree(unpacked / "records", sources[1] / "records")
        result = invoke("compare", *sources, "--out", tmp_path / f"both-{Path(sources[1]).name}")
        assert result.exit_code == 0, result.output
        assert "tests.study.cli.fragile_loss" not in sys.modules
