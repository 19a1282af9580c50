"""Every command shows hostile texts of records as text: no control character, no markup, no command for a shell."""

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from analysis.names import visible
from study.launch.manifest import launches_folder, new_manifest, write_manifest
from tests.analysis.hostile import TEXTS
from tests.study.cli.conftest import Finished
from tests.study.running import invoke

#: Columns of a record that hold a text without a fixed form.
_COLUMNS = ("device_name", "node", "python_version", "torch_version", "package_version", "git_revision")
_SHELL = next(text for text in TEXTS if "touch" in text)


@pytest.fixture(scope="module")
def hostile(original: Finished, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Every trial has a further attempt, which crashed with one of the texts everywhere."""
    store = tmp_path_factory.mktemp("hostile") / "store"
    shutil.copytree(original.store, store)
    finished = Finished(study=original.study, store=store)
    for place, row in enumerate(finished.rows):
        text = TEXTS[place % len(TEXTS)]
        finished.put_again(
            row["trial_id"],
            status="crashed",
            error_class=text,
            error_message=text + TEXTS[-1 - place % 4],
            error_traceback=f"Traceback\n  {text}\n",
            **dict.fromkeys(_COLUMNS, text),
        )
    return finished


def checked(*words: object, code: int = 0) -> str:
    """The output of a command, all of whose characters are visible."""
    result = invoke(*words)
    assert result.exit_code == code, result.output
    for output in (result.stdout, result.stderr):
        assert visible(output, lines=True) == output
    return result.output


def test_failures(hostile: Finished) -> None:
    output = checked("failures", hostile.study, "--store", hostile.store)
    for text in TEXTS[:12]:
        assert visible(text[:400]) in output
    assert not any(line.startswith("study: all is well") for line in output.splitlines())


def test_commands_to_copy_are_quoted(finished: Finished) -> None:
    for row in finished.rows:
        finished.put_again(row["trial_id"], status="crashed", error_class=_SHELL, error_message="x")
    output = checked("failures", finished.study, "--store", finished.store)
    [again] = [line for line in output.splitlines() if "study retry" in line]
    words = shlex.split(again.partition(": ")[2])
    assert words == ["study", "retry", str(finished.study), "--error", _SHELL, "--store", str(finished.store)]


def test_json_is_ascii_and_has_the_texts(hostile: Finished) -> None:
    output = checked("failures", hostile.study, "--store", hostile.store, "--json")
    assert output.isascii()
    found = {group["error_class"] for group in json.loads(output)["groups"]}
    assert found == set(TEXTS[:12])


def test_status_plan_and_retry(hostile: Finished) -> None:
    where = (hostile.study, "--store", hostile.store)
    assert "12  crashed" in checked("status", *where)
    checked("plan", *where)
    assert visible(TEXTS[0]) in checked("retry", *where, "--error", "none")
    assert "Would run 1 of" in checked("retry", *where, "--error", TEXTS[2], "--dry-run")


@pytest.mark.parametrize("place", [0, 4, 6])
def test_show(hostile: Finished, place: int) -> None:
    trial_id, text = hostile.rows[place]["trial_id"], TEXTS[place]
    output = checked("show", trial_id, "--store", hostile.store)
    assert f"node {visible(text.partition(chr(10))[0])}" in " ".join(output.split())
    facts = json.loads(checked("show", trial_id, "--store", hostile.store, "--json"))
    assert facts["attempts"][-1]["node"] == text


def test_numbers_that_are_not_finite_are_null_in_json(finished: Finished) -> None:
    trial_id, *_ = finished.ids("ok")
    finished.put_again(trial_id, z_uniformity=float("nan"), h_uniformity=float("-inf"))
    facts = json.loads(checked("show", trial_id, "--store", finished.store, "--json"))
    assert facts["attempts"][-1]["z_uniformity"] is None
    assert facts["attempts"][-1]["h_uniformity"] is None


def test_a_very_long_error_is_shortened(finished: Finished) -> None:
    for trial_id in finished.ids("crashed"):
        finished.put_again(
            trial_id, error_message=1_000_000 * "x", error_traceback=1_000_000 * "y", node=10_000 * "z"
        )
    where = ("--store", finished.store)
    output = checked("failures", finished.study, *where)
    assert "x… (999514 more characters)" in output
    assert "y… (980000 more characters)" in output
    output = checked("show", finished.ids("crashed")[0], *where)
    assert len(output) < 60_000


def test_errors_with_texts_of_files_are_one_line(tmp_path: Path) -> None:
    study = tmp_path / "a\x1b[31m\u202e.toml"
    study.write_text(f"name = {json.dumps(TEXTS[6])}", encoding="utf-8")
    for words in (
        ("plan", study),
        ("plan", f"{study}\x07"),
        ("show", TEXTS[0]),
        (TEXTS[0],),
        ("plan", "--x\x1b"),
    ):
        result = invoke(*words)
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.rstrip("\n").isprintable()


def test_manifests(hostile: Finished) -> None:
    folder = launches_folder(hostile.store, "tiny")
    base = new_manifest(study="tiny", study_file="", runner="ray", workers=1, planned=2)
    facts: dict[str, Any] = {"command": [TEXTS[12]], "machine": {"node": TEXTS[4]}}
    write_manifest(folder, type(base)(**(vars(base) | facts)))
    output = checked("cancel", hostile.study, "--store", hostile.store, "--wait", 0, code=1)
    assert f"on {visible(TEXTS[4])} was asked to stop" in output
