"""A study that this machine cannot hold is refused from its shapes, with the key that causes it."""

import pytest

from study.errors import StudyError
from study.launch.memory import check_memory, machine_memory
from study.spec.expand import expand
from study.spec.load import load_spec
from tests.study.conftest import WriteStudy

_GB = 10**9


def check(path: object) -> None:
    spec = load_spec(str(path)).spec
    check_memory(spec, expand(spec, None))


def test_the_memory_of_this_machine_is_known() -> None:
    assert _GB / 4 < machine_memory() < 10**15


@pytest.mark.parametrize("name", ["tiny", "quickstart", "minibatch_optima", "batch_independence"])
def test_small_trials_fit(name: str, write_study: WriteStudy) -> None:
    spec = load_spec(str(write_study()) if name == "tiny" else name).spec
    trials = expand(spec, None)
    needed = [sum(trials.task.least_memory(trial.config.task).values()) for trial in trials.trials]
    assert 1_000 < max(needed) < _GB
    check_memory(spec, trials)


@pytest.mark.parametrize(
    ("replacement", "cause"),
    [
        (("width = 4", "width = 1000000"), "encoder.width: got 1000000"),
        (("projection_dim = 8", "projection_dim = 1000000"), "encoder.projection_dim: got 1000000"),
        (("[8, 16]", "[8, 200]"), "axes.batch_size: got 200"),
    ],
)
def test_a_size_that_does_not_fit_is_named(
    replacement: tuple[str, str], cause: str, write_study: WriteStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = 1_000_000 if "batch" in cause else _GB
    monkeypatch.setattr("study.launch.memory.machine_memory", lambda: here)
    study = write_study(replacement)
    with pytest.raises(
        StudyError,
        match=f"^{cause}, which needs .* of memory; a trial takes .* or more, and this machine has",
    ) as said:
        check(study)
    assert ("1.0 MB" if "batch" in cause else "1.0 GB") in str(said.value)


def test_embeddings_on_the_sphere_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("study.launch.memory.machine_memory", lambda: 1)
    with pytest.raises(StudyError, match=r"got n_pairs = \d+ with dim = \d+, which needs"):
        check("minibatch_optima")
