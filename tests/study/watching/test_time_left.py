"""The time left is shared by two launches, and absent before it is known."""

from dataclasses import replace

from study.launch.manifest import new_manifest
from study.watching.state import time_left


def test_two_launches_share_what_is_left() -> None:
    base = new_manifest(study="s", study_file="s.toml", runner="ray", workers=2, planned=90)
    ran, found = {"trial_id": "a", "found": False}, {"trial_id": "b", "found": True}
    one = replace(base, seconds=100.0, trials=[ran] * 10 + [found] * 50)
    other = replace(base, seconds=100.0, trials=[ran] * 30)
    assert time_left([one, other], 80) == "about 3 min 20 s"  # 0.4 trials a second
    assert time_left([one], 80) == "about 13 min 20 s"


def test_nothing_is_said_before_it_is_known() -> None:
    base = new_manifest(study="s", study_file="s.toml", runner="ray", workers=2, planned=90)
    assert time_left([base], 80) == ""
    assert time_left([], 80) == ""
