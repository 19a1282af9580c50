"""Mutated bundles, packed and unpacked: nothing in them runs, and nothing is written outside."""

import json
import random
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.fuzz.conftest import Origin
from tests.fuzz.mutate import mutated_bytes, mutated_json, mutated_zip
from tests.fuzz.watched import MOST_SECONDS, run

pytestmark = pytest.mark.slow

#: Cases in a test, and tests: 400 cases in all.
_CASES, _TESTS = 20, 20


@pytest.mark.parametrize("first", range(0, _CASES * _TESTS, _CASES))
def test_a_mutated_bundle_ends_in_an_answer_or_a_line(
    first: int, origin: Origin, scratch: Path, comparison_seconds: float
) -> None:
    found: list[str] = []
    for case in range(first, first + _CASES):
        chance = random.Random(10_000 + case)
        folder = scratch / f"case{case}"
        folder.mkdir()
        hostile = _unpacked(origin, folder, chance) if case % 2 else _packed(origin, folder, chance)
        commands: list[list[object]] = [
            ["status", "tiny", "--store", hostile],
            ["show", "0", "--store", hostile],
            ["verify", "tiny", "--no-code", "--store", hostile],
            ["merge", hostile, "--into", folder / "merged"],
        ]
        if case % 10 == 0:
            commands.append(["compare", hostile, origin.bundle, "--out", folder / "compared"])
        for words in commands:
            # A comparison draws figures, so its limit is a multiple of what two intact bundles take here.
            most = 3 * comparison_seconds if words[0] == "compare" else MOST_SECONDS
            outcome = run(*words, allowed=(scratch,), hostile=folder, most_seconds=most)
            found += [f"case {case}, {words[0]}: {fault}" for fault in outcome.faults()]
            assert not (scratch / "outside").exists(), (case, words[0])
        shutil.rmtree(folder)
    assert not found, "\n".join(found)


@pytest.fixture(scope="module")
def comparison_seconds(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds of processor time that the comparison of two intact bundles takes on this machine."""
    folder = tmp_path_factory.mktemp("intact")
    intact = shutil.copy(origin.bundle, folder / "intact.zip")
    words = ("compare", intact, origin.bundle, "--out", folder / "compared")
    outcome = run(*words, allowed=(folder,), hostile=folder)
    assert outcome.code == 0, outcome
    return outcome.seconds


def _packed(origin: Origin, folder: Path, chance: random.Random) -> Path:
    content = origin.bundle.read_bytes()
    path = folder / "small.zip"
    path.write_bytes((mutated_zip if chance.random() < 0.6 else mutated_bytes)(content, chance))
    return path


def _unpacked(origin: Origin, folder: Path, chance: random.Random) -> Path:
    with zipfile.ZipFile(origin.bundle) as archive:
        archive.extractall(folder)
    path = next(folder.rglob("bundle.json"))
    if chance.random() < 0.3:
        path.write_bytes(mutated_bytes(path.read_bytes(), chance))
    else:
        path.write_text(json.dumps(mutated_json(json.loads(path.read_text()), chance)))
    (path.parent / "pandas.py").write_text("raise SystemExit('ran')")
    return path.parent
