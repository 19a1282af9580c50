"""`study bench` measures the rows of a study, and assigns every time to the stage that takes it."""

import dataclasses
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from study.bench.arithmetic import matmul_peak, network_flops
from study.bench.rows import bench_rows
from study.bench.stages import STAGES, stage_shares
from study.bench.subject import Subject, build_subject
from study.bench.timing import seconds_a_call
from study.cost.memory import PeakMemory
from study.spec.expand import TrialSet, expand
from study.spec.load import load_spec
from tests.study.conftest import WriteStudy
from tests.study.running import invoke
from trainables.config import EncoderConfig
from trainables.datasets.datasets import load_dataset
from trainables.losses import build_loss
from trainables.runtime import Runtime
from trainables.views.batched import Views
from trainables.views.parameters import ViewParameters

CPU = torch.device("cpu")


def test_a_row_alone_and_a_row_stacked_at_each_batch_size(write_study: WriteStudy) -> None:
    result = invoke("bench", write_study(), "--steps", "2", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    facts = json.loads(result.stdout)
    assert [(row["batch_size"], row["trials"]) for row in facts["rows"]] == [(8, 1), (8, 4), (16, 1), (16, 4)]
    assert (facts["loss"], facts["encoder"], facts["precision"]) == ("ntxent", "small_conv", "float32")
    for row in facts["rows"]:
        assert list(row["shares"]) == list(STAGES)
        assert sum(row["shares"].values()) == pytest.approx(1)
        assert row["images_per_second"] > 0
        assert 0 < row["share_of_peak"] < 1


def test_what_people_read(write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = write_study()
    before = set(tmp_path.iterdir())
    result = invoke("bench", study, "--batch-size", "32", "--loss", "kcl", "--steps", "2")
    assert result.exit_code == 0
    assert "loss kcl" in result.stdout
    assert re.search(r"^ *32 +1 .*%", result.stdout, re.MULTILINE)
    assert re.search(
        r"Measured on .+ \(cpu, threads 1, eager, torch .+GFLOP/s; .*resident set", result.stdout
    )
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--loss", "dcl"), "--loss: got 'dcl', must be one of ntxent, kcl"),
        (
            ("--batch-size", "201"),
            "--batch-size: got 201, must be at most 200, the training images of digits",
        ),
        (("--data-root", "/absent"), "--data-root: got '/absent', must be a directory"),
    ],
)
def test_what_cannot_be_is_one_line(write_study: WriteStudy, words: tuple[str, ...], said: str) -> None:
    result = invoke("bench", write_study(), *words)
    assert (result.exit_code, result.stderr) == (2, f"study: {said}\n")


def test_a_study_that_is_not_there_or_not_for_this_machine(write_study: WriteStudy) -> None:
    for study in ("quickstrat", write_study(("[axes]", "[resources]\ngpus_per_trial = 64\n[axes]"))):
        result = invoke("bench", study)
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1


def test_a_precision_that_is_not_there(write_study: WriteStudy) -> None:
    result = invoke("bench", write_study(("steps = 3", 'steps = 3\nprecision = "tf32"')))
    assert result.exit_code == 2
    assert result.stderr == "study: precision: got tf32 on cpu; it needs a CUDA device\n"


def test_a_row_that_fails_leaves_the_others(write_study: WriteStudy) -> None:
    name = "tests.study.own_loss:Explodes"  # from 16 pairs on
    study = write_study(("[losses.kcl]\nt = [2.0]", f'[losses."{name}"]\nlr = 0.1'))
    result = invoke("bench", study, "--loss", name, "--json", "--steps", "2")
    assert result.exit_code == 1
    rows = json.loads(result.stdout)["rows"]
    assert [row.get("error") for row in rows] == [None, None] + 2 * ["RuntimeError: the batch is too large"]
    assert "batch size 16, trials 2: RuntimeError" in result.stderr


def trial_set(write_study: WriteStudy, *replacements: tuple[str, str]) -> TrialSet:
    return expand(load_spec(str(write_study(*replacements))).spec, None)


def test_stacks_are_those_that_workers_train(write_study: WriteStudy) -> None:
    tiny = trial_set(write_study)
    assert [len(row) for row in bench_rows(tiny, None, [64], stacked=True)] == [1, 4]
    assert [len(row) for row in bench_rows(tiny, None, [64], stacked=False)] == [1]
    momenta = trial_set(write_study, ("[8, 16]", "[8]\nmomentum = [0.5, 0.9]"))
    assert [len(row) for row in bench_rows(momenta, "ntxent", [], stacked=True)] == [1, 4]  # of one momentum
    large = trial_set(write_study, ("train_limit = 200", "train_limit = 900"))
    assert [len(row) for row in bench_rows(large, None, [600], stacked=True)] == [1]  # too large to gain


def subject(write_study: WriteStudy) -> Subject:
    (row,) = bench_rows(trial_set(write_study), "ntxent", [8], stacked=False)
    return build_subject(row, load_dataset(row[0].task.data, None), Runtime())


class SlowViews(Views):
    """Views that take a tenth of a second."""

    def apply(self, images: Tensor, parameters: ViewParameters) -> Tensor:
        time.sleep(0.1)
        return super().apply(images, parameters)


def _pause(*_: Any) -> None:
    time.sleep(0.1)


@pytest.mark.parametrize("slow", ["data", "forward", "loss", "backward"])
def test_a_slow_stage_is_seen_where_it_is(slow: str, write_study: WriteStudy) -> None:
    measured = subject(write_study)
    (member,) = measured.members
    if slow == "data":
        fields = {spec.name: getattr(measured.views, spec.name) for spec in dataclasses.fields(Views)}
        measured = dataclasses.replace(measured, views=SlowViews(**fields))
    elif slow == "forward":
        member.model.encoder.register_forward_hook(_pause)
    elif slow == "backward":
        member.model.head[0].register_full_backward_hook(_pause)
    else:
        ntxent = build_loss("ntxent")

        def slow_loss(z_a: Tensor, z_b: Tensor) -> Tensor:
            _pause()
            return ntxent(z_a, z_b)

        slower = dataclasses.replace(member, loss=slow_loss)
        measured = dataclasses.replace(measured, members=[slower])
    assert stage_shares(measured, "eager", 2)[slow] > 0.5


def test_operations_of_a_network_counted_by_hand() -> None:
    encoder = EncoderConfig(name="small_conv", width=4, projection_dim=8)
    first, rest = 2 * 9 * 64 * 4, 2 * (9 * 16 * 4 * 8 + 9 * 4 * 8 * 16 + 16 * 16 + 16 * 8)
    # Forward, and backward twice as much, but no gradient of the images.
    assert network_flops(encoder, channels=1, size=8) == 2 * first + 3 * rest


def test_a_resnet_takes_what_is_published_of_it() -> None:
    flops = network_flops(EncoderConfig(name="resnet18"), channels=3, size=32)
    assert flops == pytest.approx(3.33e9, rel=0.01)  # 0.56 G multiplications and additions forward


def test_the_peak_is_that_of_matrix_products() -> None:
    torch.set_num_threads(1)
    a = torch.randn(1024, 1024)
    rate = 2 * 1024**3 / seconds_a_call(lambda: a @ a, CPU, 10)
    assert 0.3 * rate < matmul_peak("float32", CPU) < 8 * rate  # other work, and a library of half the speed


def test_peak_memory_counts_what_is_given_back_too() -> None:
    with PeakMemory(CPU) as peak:  # the kernel's own count lags by some pages
        torch.ones(20_000_000).sum()
    assert peak.bytes is not None
    assert 78e6 < peak.bytes < 120e6
    with PeakMemory(CPU) as peak:
        pass
    assert peak.bytes is not None
    assert peak.bytes < 5e6
