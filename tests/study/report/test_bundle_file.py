"""`bundle.json` is a stranger's: every field is checked, and each fault is one line that names it."""

import copy
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from analysis.model.info import ArmInfo, AxisInfo, StudyInfo
from analysis.model.metric import Metric
from study.errors import StudyError
from study.report import bundle_file
from study.report.bundle_file import read_bundle_file

_AXES = (AxisInfo(name="hp_batch_size"), AxisInfo(name="hp_temperature"))
INFO = StudyInfo(
    name="tiny",
    metric=Metric(name="probe10_accuracy", worst=0.1),
    arms=(ArmInfo(label="ntxent", loss="ntxent", axes=_AXES),),
    seeds=(0, 1),
    spec_text="name = 'tiny'",
)

Content = dict[str, Any]


def _row(seed: int) -> Content:
    return {
        "trial_id": f"{seed:020x}", "config_id": "a" * 20, "pretrain_id": "b" * 20, "probe_id": "c" * 20,
        "arm": "ntxent", "point": 0, "loss": "ntxent", "seed": seed, "design": "grid",
        "hp_batch_size": 8, "hp_temperature": 0.5, "hp_symmetric": True, "data": "digits",
    }  # fmt: skip


@pytest.fixture
def content() -> Content:
    """What `study bundle` writes."""
    return json.loads(json.dumps({"format": 2, "planned": [_row(0), _row(1)], "info": asdict(INFO)}))


def test_what_a_bundle_has(content: Content, tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text(json.dumps(content))
    planned, info = read_bundle_file(tmp_path)
    assert planned == [_row(0), _row(1)]
    assert info.arms[0].axes == INFO.arms[0].axes
    assert (info.name, info.seeds, info.metric) == (INFO.name, INFO.seeds, INFO.metric)


def _set(*path: Any, to: Any) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        place = content
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return change


def _without(*path: Any) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        place = content
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without("planned"), "'planned' is missing"),
        (_set("planned", to={}), "planned: must be a list of 1 to 1000000 trials"),
        (_set("planned", to=[]), "planned: must be a list of 1 to 1000000 trials"),
        (_set("planned", 1, to=[]), "planned.1: got [], must be a table"),
        (_without("planned", 0, "probe_id"), "planned.0: probe_id is missing"),
        (_set("planned", 0, "trial_id", to="../../x"), "planned.0: trial_id: got '../../x', must be an id"),
        (
            _set("planned", 0, "trial_id", to="0" * 20 + "\n"),
            "planned.0: trial_id: got '00000000000000000000\\n'",
        ),
        (_set("planned", 0, "config_id", to=7), "planned.0: config_id: got 7, must be an id"),
        (_set("planned", 0, "arm", to="dhel"), "planned.0: arm: got 'dhel', which the study does not have"),
        (_set("planned", 0, "seed", to="0"), "planned.0: seed: got '0', must be a number"),
        (_set("planned", 0, "seed", to=True), "planned.0: seed: got True, must be a number"),
        (_set("planned", 0, "seed", to=-1), "planned.0: seed and point: must not be negative"),
        (
            _set("planned", 0, "seed", to=2**63),
            "planned.0: seed: got 9.223e+18, must be a finite number",
        ),
        (_set("planned", 0, "hp_batch_size", to=8.5), "planned.0: hp_batch_size: got 8.5, must be a number"),
        (
            _set("planned", 0, "hp_temperature", to="x"),
            "planned.0: hp_temperature: got 'x', must be a number",
        ),
        (
            _set("planned", 0, "hp_temperature", to=float("inf")),
            "hp_temperature: got inf, must be a finite number",
        ),
        (
            _set("planned", 0, "hp_mine", to=[1]),
            "planned.0: hp_mine: got [1], must be a truth value or a number",
        ),
        (_set("planned", 0, "data", to="x" * 70_000), "planned.0: data: got a text of 70000 characters"),
        (
            _set("planned", 0, "test_probe10_accuracy", to=1.0),
            "'test_probe10_accuracy': is no column of planned",
        ),
        (_set("planned", 0, "status", to="ok"), "planned.0: 'status': is no column of planned trials"),
        (_set("planned", 1, "trial_id", to="0" * 20), "planned: has 1 trials of one arm twice"),
        (_set("info", to=None), "must be a table"),
        (_without("info", "name"), "'name' is missing"),
        (_set("info", "name", to=".."), "name: got '..'; allowed are letters"),
        (_set("info", "spec_text", to=""), "spec_text is missing"),
        (_set("info", "seeds", to="many"), "info.seeds: got 'many'"),
        (_set("info", "arms", to=[]), "at least one, each once, is needed"),
        (_set("info", "arms", 0, "axes", to=[1]), "info.arms.0.axes.0: got 1"),
        (_set("info", "arms", 0, "axes", to=[{"name": "hp_lr"}]), "x axis and main axis are needed"),
        (_set("info", "metric", "worst", to=2), "worst: got 2.0; allowed is a value within"),
        (_set("info", "compared", to=[{}]), "compared: a bundle has one study"),
        (_set("info", "design", to="x"), "design: got 'x', must be one of"),
        (_set("info", "design", to=[]), "is damaged"),
    ],
)
def test_a_field_that_no_bundle_has(
    change: Callable[[Content], None], said: str, content: Content, tmp_path: Path
) -> None:
    changed = copy.deepcopy(content)
    change(changed)
    (tmp_path / "bundle.json").write_text(json.dumps(changed))
    with pytest.raises(StudyError) as caught:
        read_bundle_file(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"store: {tmp_path / 'bundle.json'} is damaged (")
    assert said in message
    assert len(message.splitlines()) == 1
    assert len(message) < 500


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "null", "{", "[" * 100_000, '{"format": ' + "9" * 5000 + "}", "\xff", '"\\ud800"']
)
def test_a_file_that_is_no_bundle(text: str, tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(StudyError, match="is damaged"):
        read_bundle_file(tmp_path)


def test_a_file_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bundle.json").write_text(" " * 1000)
    monkeypatch.setattr(bundle_file, "_MOST_BYTES", 999)
    with pytest.raises(StudyError, match="has 1,000 bytes; at most 999 are read"):
        read_bundle_file(tmp_path)
