"""A bundle opens elsewhere: without the data, without a loss of one's own, without the machine's names."""

import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from search_spaces.designs import DESIGNS
from study.loaded import load_study
from study.report.bundle_file import study_info_of
from study.report.study_table import study_info
from tests.study.cli.conftest import Finished
from tests.study.running import invoke
from trainables.store.attempts import all_attempts
from trainables.store.records import RecordStore


def test_the_report_is_made_again(unpacked: Path) -> None:
    study, page = (unpacked / "studies" / "tiny" / name for name in ("study.toml", "report.html"))
    before = page.read_bytes()
    page.unlink()
    result = invoke("report", study, "--store", unpacked)
    assert result.exit_code == 0, result.output
    assert page.read_bytes() == before


def test_neither_data_nor_losses_are_needed(unpacked: Path) -> None:
    """The bundle of a study whose loss and images are nowhere here."""
    study = unpacked / "studies" / "tiny" / "study.toml"
    for path in (unpacked / "bundle.json", study):
        absent = path.read_text().replace("fragile_loss", "absent_loss").replace("digits", "parquet:absent")
        path.write_text(absent)
    result = invoke("report", study, "--store", unpacked)
    assert result.exit_code == 0, result.output
    assert "2 crashed: RuntimeError" in result.output
    # An edited file is another study than the bundle's, and needs what every study needs.
    study.write_text(study.read_text().replace("seeds = [0, 1]", "seeds = [0]"))
    result = invoke("report", study, "--store", unpacked)
    assert result.exit_code == 2
    assert "absent" in result.stderr


def test_it_holds_every_attempt_and_manifest(original: Finished, unpacked: Path) -> None:
    store = RecordStore(unpacked)
    ids = [row["trial_id"] for row in original.rows]
    kept = all_attempts(store, ids).to_pandas()
    assert len(kept) == 12
    before = all_attempts(RecordStore(original.store), ids).to_pandas()
    same = [name for name in kept if name not in ("node", "error_traceback")]
    pd.testing.assert_frame_equal(kept[same], before[same])
    assert len(pd.read_csv(unpacked / "records.csv")) == 12
    [manifest] = (unpacked / "studies" / "tiny" / "launches").iterdir()
    assert json.loads(manifest.read_text())["outcome"] == "finished"
    assert invoke("show", ids[0], "--store", unpacked).exit_code == 0


def test_it_names_no_machine(original: Finished, unpacked: Path) -> None:
    texts = [
        path.read_text() for path in unpacked.rglob("*") if path.suffix in (".json", ".toml", ".txt", ".csv")
    ]
    texts += [str(RecordStore(unpacked).read_all().table.to_pylist())]
    for text in texts:
        assert str(original.store.parent) not in text
        assert str(Path(__file__).parents[3]) not in text
    assert all(row["node"] is None for row in RecordStore(unpacked).read_all().table.to_pylist())
    manifests = list(unpacked.rglob("launches/*.json"))
    assert manifests
    for path in manifests:
        assert "node" not in json.loads(path.read_text())["machine"]


def test_the_same_study_gives_the_same_bytes(original: Finished, packed: Path, tmp_path: Path) -> None:
    out = tmp_path / "supplement.zip"
    assert invoke("bundle", original.study, "--store", original.store, "--out", out).exit_code == 0
    assert out.read_bytes() == packed.read_bytes()


def test_what_the_analysis_must_know_survives_json(original: Finished) -> None:
    loaded = load_study(str(original.study), str(original.store), None)
    info = study_info(loaded.plan, loaded.study_file)
    assert study_info_of(json.loads(json.dumps(asdict(info)))) == info


@pytest.mark.parametrize("design", DESIGNS)
def test_an_earlier_bundle_names_its_design(design: str, original: Finished) -> None:
    """Bundles of format 2 once had the design's name alone, from which the facts follow."""
    loaded = load_study(str(original.study), str(original.store), None)
    told = asdict(study_info(loaded.plan, loaded.study_file))
    earlier = {name: value for name, value in told.items() if name not in ("drawn", "adaptive")}
    info = study_info_of(json.loads(json.dumps(earlier | {"design": design})))
    assert (info.drawn, info.adaptive) == (DESIGNS[design].drawn, DESIGNS[design].adaptive)


@pytest.mark.parametrize("said", ["tiny.tar", "taken.zip"])
def test_where_it_cannot_go(said: str, original: Finished, tmp_path: Path) -> None:
    (tmp_path / "taken.zip").touch()
    result = invoke("bundle", original.study, "--store", original.store, "--out", tmp_path / said)
    assert result.exit_code == 2
    assert said in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["taken.zip"]


def test_nothing_to_pack(original: Finished, tmp_path: Path) -> None:
    result = invoke("bundle", original.study, "--store", tmp_path / "s", "--out", tmp_path / "x.zip")
    assert result.exit_code == 2
    assert "no records" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../../elsewhere", "", "a/b", 3])
def test_a_bundle_writes_into_no_other_folder(name: object, unpacked: Path, original: Finished) -> None:
    told = json.loads((unpacked / "bundle.json").read_text())
    (unpacked / "bundle.json").write_text(json.dumps(told | {"info": told["info"] | {"name": name}}))
    result = invoke("report", original.study, "--store", unpacked)
    assert result.exit_code == 2
    assert f"name: got {name!r}" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_bundle_of_a_newer_format(unpacked: Path, original: Finished) -> None:
    told = json.loads((unpacked / "bundle.json").read_text())
    (unpacked / "bundle.json").write_text(json.dumps(told | {"format": 99}))
    result = invoke("report", original.study, "--store", unpacked)
    assert result.exit_code == 2
    assert "format 99" in result.stderr
