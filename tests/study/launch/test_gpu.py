"""A machine whose GPU cannot be used, or lacks a precision, is one line before anything is written."""

from pathlib import Path

import pytest

from study.errors import StudyError
from study.launch.gpu import check_gpu, check_precision
from study.loaded import load_study
from tests.study.conftest import WriteStudy
from tests.study.running import invoke


def no_gpu(monkeypatch: pytest.MonkeyPatch, said: str = "") -> None:
    def init() -> None:
        raise RuntimeError(said)

    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.setattr("torch.cuda.init", init)
    monkeypatch.setattr("torch.version.cuda", "13.2")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Found no NVIDIA driver on your system. Please check", "there is no NVIDIA driver"),
        (
            "The NVIDIA driver on your system is too old (found version 11040)",
            "its NVIDIA driver is too old for CUDA 13.2 of this torch",
        ),
        ("No CUDA GPUs are available", "torch sees none; `nvidia-smi` may say why"),
    ],
)
def test_the_reason_is_said(monkeypatch: pytest.MonkeyPatch, said: str, reason: str) -> None:
    no_gpu(monkeypatch, said)
    with pytest.raises(StudyError) as caught:
        check_gpu("0.5")
    assert str(caught.value) == (
        f"resources.gpus_per_trial: got 0.5, this machine has 0 usable GPUs ({reason})"
    )


@pytest.mark.parametrize(("visible", "word"), [("", "empty"), (" ", "empty"), ("-1", "-1")])
def test_no_visible_device(monkeypatch: pytest.MonkeyPatch, visible: str, word: str) -> None:
    no_gpu(monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(StudyError, match=rf"\(CUDA_VISIBLE_DEVICES is {word}\)"):
        check_gpu("1")


def test_a_torch_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    no_gpu(monkeypatch)
    monkeypatch.setattr("torch.version.cuda", None)
    with pytest.raises(StudyError, match="built without CUDA"):
        check_gpu("1")


@pytest.mark.parametrize("given", ["1", '"auto"'])
def test_a_run_ends_with_one_line(
    given: str, write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_gpu(monkeypatch, "Found no NVIDIA driver on your system")
    study = write_study(("[axes]", f"[resources]\ngpus_per_trial = {given}\n[axes]"))
    result = invoke("run", study, "--store", tmp_path / "store")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "this machine has 0 usable GPUs (there is no NVIDIA driver)" in result.stderr
    assert not (tmp_path / "store").exists()


def test_a_precision_that_the_gpu_lacks(
    write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda *_: (7, 5))
    monkeypatch.setattr("torch.cuda.get_device_name", lambda *_: "Tesla T4")

    def check(precision: str) -> None:
        study = write_study(
            ("[axes]", "[resources]\ngpus_per_trial = 1\n[axes]"), ("steps = 3", f"steps = 3\n{precision}")
        )
        loaded = load_study(str(study), str(tmp_path / "store"), None)
        check_precision(loaded.plan.spec, loaded.plan.trial_set)

    check("")
    with pytest.raises(StudyError) as caught:
        check('precision = "bfloat16"')
    assert str(caught.value) == (
        "training.precision: got bfloat16, which the GPU of this machine (Tesla T4) does not have; it needs compute "
        "capability 8.0 or higher"
    )
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda *_: (8, 0))
    check('precision = "bfloat16"')
