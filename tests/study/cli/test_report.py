"""`study report STUDY --out` writes nothing into the store, and so works for a store that is read-only."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.faults_injected import digests
from tests.study.cli.conftest import Finished
from tests.study.running import invoke


@pytest.mark.slow
def test_a_store_that_is_read_only_has_its_report_elsewhere(finished: Finished, tmp_path: Path) -> None:
    mounted, out = tmp_path / "mounted", tmp_path / "out"
    mounted.mkdir()
    if subprocess.run(["mount", "--bind", finished.store, mounted], check=False).returncode:
        pytest.skip("mounting needs root")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", mounted], check=True)
        result = invoke("report", finished.study, "--store", mounted)
        assert result.exit_code == 1
        assert "Read-only file system" in result.stderr
        assert "or write the report elsewhere with --out" in result.stderr
        result = invoke("report", finished.study, "--store", mounted, "--out", out)
        assert result.exit_code == 0, result.output
    finally:
        subprocess.run(["umount", mounted], check=True)
    assert (out / "report.html").is_file()
    assert "This look is not remembered" in (out / "report.md").read_text()


@pytest.mark.slow
def test_a_report_elsewhere_changes_no_file_of_the_store(finished: Finished, tmp_path: Path) -> None:
    before = digests(finished.store)
    folders = sorted(finished.store.rglob("*"))
    result = invoke("report", finished.study, "--store", finished.store, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert digests(finished.store) == before
    assert sorted(finished.store.rglob("*")) == folders


@pytest.mark.slow
def test_the_look_outlives_the_report_and_goes_into_the_bundle(finished: Finished, tmp_path: Path) -> None:
    assert invoke("report", finished.study, "--store", finished.store).exit_code == 0
    folder = finished.store / "studies" / "tiny"
    [look] = (folder / "looks").iterdir()
    before = look.read_bytes()
    (folder / "report.html").unlink()
    assert invoke("report", finished.study, "--store", finished.store).exit_code == 0
    assert look.read_bytes() == before
    more = tmp_path / "tiny.toml"
    more.write_text(finished.study.read_text().replace("seeds = [0, 1]", "seeds = [0, 1, 2]"))
    out = tmp_path / "out"
    (folder / "archive.json").unlink()
    result = invoke("report", more, "--store", finished.store, "--out", out)
    assert result.exit_code == 0, result.output
    assert "a later one: the first complete look had 2 seeds" in (out / "report.md").read_text()
    result = invoke("bundle", finished.study, "--store", finished.store, "--out", tmp_path / "b.zip")
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert archive.read(f"b/studies/tiny/looks/{look.name}") == before
