"""Mutated study files and fragments of TOML."""

import random
from pathlib import Path

import pytest

from study.spec.source import read_keys, shipped_studies
from tests.fuzz.conftest import Origin
from tests.fuzz.mutate import TOML, mutated_text
from tests.fuzz.watched import run

pytestmark = pytest.mark.slow

#: Cases in a test, and tests: 1,000 cases in all, half of them whole files.
_CASES, _TESTS = 50, 20


@pytest.mark.parametrize("first", range(0, _CASES * _TESTS, _CASES))
def test_a_mutated_study_file_ends_in_an_answer_or_a_line(first: int, origin: Origin, scratch: Path) -> None:
    texts = [origin.study.read_text(), *(read_keys(name).text for name in shipped_studies())]
    found: list[str] = []
    for case in range(first, first + _CASES):
        chance = random.Random(20_000 + case)
        path = scratch / "study.toml"
        if case % 2:
            text = mutated_text(chance.choice(texts), chance)
        else:
            text = "\n".join(chance.choices(TOML, k=chance.choice((1, 2, 3))))
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        command = chance.choice(("status", "extend"))
        words: list[object] = [command, path, "--store", scratch / "store"]
        words += ["--seeds", "7"] if command == "extend" else []
        outcome = run(*words, allowed=(scratch,), hostile=scratch)
        found += [f"case {case}, {words[0]}: {fault}" for fault in outcome.faults()]
    assert not found, "\n".join(found)
