"""On clusters, trials that fit no node, wrong addresses, and nodes without the store are refused in one line."""

import socket
from pathlib import Path

import pytest

from study.errors import StudyError
from study.launch import capacity
from study.launch.capacity import count_workers, worker_places
from study.launch.cluster import check_address, cluster_workers, look_at_files
from study.spec.schema import ResourcesSection
from tests.study.conftest import WriteStudy
from tests.study.running import invoke
from tests.trainables.device.fake_cuda import pretended_cuda
from trainables.views import cpu_kernel


def node(cpus: float, gpus: float = 0, *, alive: bool = True) -> dict[str, object]:
    return {"Alive": alive, "Resources": {"CPU": cpus, "GPU": gpus}}


def test_workers_fit_node_by_node() -> None:
    nodes = [node(4), node(3), node(16, alive=False)]
    assert cluster_workers(nodes, ResourcesSection(cpus_per_trial=2), None) == 3
    assert cluster_workers(nodes, ResourcesSection(cpus_per_trial=2), 2) == 2
    assert cluster_workers([node(64, 2)], ResourcesSection(gpus_per_trial=0.4), None) == 2
    with pytest.raises(StudyError, match="--workers: got 9, the cluster has room for 3"):
        cluster_workers(nodes, ResourcesSection(cpus_per_trial=2), 9)
    with pytest.raises(
        StudyError, match=r"asks for 1 processors and 1 GPUs; no node of the cluster has that"
    ):
        cluster_workers(nodes, ResourcesSection(gpus_per_trial=1), None)


def test_a_mode_of_another_device_is_refused() -> None:
    for gpus in (0, 1, "auto"):
        ResourcesSection(execution="fused", gpus_per_trial=gpus)
    with pytest.raises(ValueError, match="execution: got graphed, which needs gpus_per_trial above 0"):
        ResourcesSection(execution="graphed")


def test_a_missing_compiler_is_one_line(
    write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDY_CACHE_ROOT", str(tmp_path))
    monkeypatch.setenv("CC", "no-such-compiler")
    cpu_kernel.compiled.cache_clear()
    study = write_study(("[axes]", '[resources]\nexecution = "fused"\n[axes]'))
    line = "resources.execution: got fused, which needs a C compiler: no-such-compiler cannot compile the views: "
    for command in ("run", "trial", "bench"):
        words = () if command == "bench" else ("--store", tmp_path / "store")
        result = invoke(command, study, *words)
        assert result.exit_code == 2
        [said] = [each for each in result.stderr.splitlines() if "which cannot make these views" not in each]
        assert said.startswith(f"study: {line}")
    assert not (tmp_path / "store").exists()
    plan = invoke("plan", study, "--store", tmp_path / "store")
    assert plan.exit_code == 0
    assert f"study: this study cannot run here: {line}" in plan.stderr


def test_on_a_gpu_the_mode_fused_needs_triton_and_no_c_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "_check_compiler", lambda: pytest.fail("the C function is compiled"))
    on_gpu = ResourcesSection(execution="fused", gpus_per_trial=1)
    with pretended_cuda():
        assert count_workers(on_gpu, None) == 1
    monkeypatch.setattr(capacity, "find_spec", lambda name: None)
    with (
        pretended_cuda(),
        pytest.raises(StudyError, match="execution: got fused, which needs the package triton on a GPU"),
    ):
        count_workers(on_gpu, None)


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "head:port", "http://head:80"])
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    with pytest.raises(StudyError, match="must be auto or HOST:PORT"):
        check_address(address)


def test_nobody_at_the_address_is_one_line(write_study: WriteStudy, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    result = invoke("run", write_study(), "--store", tmp_path / "store", "--address", address)
    assert result.exit_code == 2
    assert f"--address: no head node answers at {address}" in result.output.replace("\n", " ")
    assert not (tmp_path / "store").exists()


def test_a_store_that_is_not_shared_is_said(tmp_path: Path) -> None:
    token = tmp_path / ".tmp-token"
    assert "is not shared with it" in str(look_at_files(str(token), None))
    token.write_text(token.name)
    assert look_at_files(str(token), None) is None
    assert (
        look_at_files(str(token), str(tmp_path / "nowhere"))
        == f"--data-root: there is no {tmp_path}/nowhere on it"
    )


@pytest.mark.parametrize(
    ("resources", "words", "said"),
    [
        ("cpus_per_trial = 1", ["--runner", "inline", "--workers", "2"], "the inline runner has one worker"),
        ("cpus_per_trial = 1", ["--workers", "1000"], "--workers: got 1000, this machine has room for"),
        ("cpus_per_trial = 1000", [], "cpus_per_trial: got 1000, this machine has"),
        ("gpus_per_trial = 1.5", [], "gpus_per_trial: got 1.5, must be 0, a share"),
        ("gpus_per_trial = -1", [], "gpus_per_trial: got -1, must be 0, a share"),
        ('gpus_per_trial = "some"', [], "gpus_per_trial: got 'some', must be 0, a share"),
        ("gpus_per_trial = 64", [], "gpus_per_trial: got 64, this machine has"),
        ('execution = "graphed"', [], "graphed, which needs gpus_per_trial"),
    ],
)
def test_resources_that_nobody_has_are_one_line(
    resources: str, words: list[str], said: str, write_study: WriteStudy, tmp_path: Path
) -> None:
    study = write_study(("[axes]", f"[resources]\n{resources}\n[axes]"))
    result = invoke("run", study, "--store", tmp_path / "store", *words)
    assert result.exit_code == 2
    [line] = result.stderr.strip().splitlines()
    assert said in line
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("gpus_per_trial", "gpus", "workers", "at_once"),
    [(0, 2, 64, 1), (0.4, 2, 2, 2), (0.25, 1, 1, 4), (1, 3, 3, 1), (2, 5, 2, 1), ("auto", 2, 2, None)],
)
def test_a_worker_has_whole_gpus_and_runs_the_trials_that_share_one(
    gpus_per_trial: float | str, gpus: int, workers: int, at_once: int | None
) -> None:
    resources = ResourcesSection(gpus_per_trial=gpus_per_trial)
    assert worker_places(64, gpus, resources) == workers
    assert resources.trials_a_gpu == at_once
    assert worker_places(64, 0, resources) == (0 if gpus_per_trial else 64)


def test_fewer_processors_than_gpus_limit_the_workers() -> None:
    assert worker_places(1, 2, ResourcesSection(gpus_per_trial=0.4)) == 1
