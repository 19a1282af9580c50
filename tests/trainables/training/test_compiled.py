"""Compiled steps: every batch size of a process is compiled."""

from collections.abc import Iterator
from functools import partial

import pytest
import torch
import torch._dynamo
from torch._dynamo.testing import CompileCounter

from tests.trainables.training.small import small_model
from trainables.training.execution import prepare_network

#: A number of batch sizes above torch's default limit of compilations for one function.
_SIZES = range(2, 13)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[CompileCounter]:
    """Counts what is compiled, by a compiler that takes no time."""
    counter = CompileCounter()
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=counter))
    torch._dynamo.reset()
    yield counter
    torch._dynamo.reset()


@pytest.mark.slow
def test_no_batch_size_runs_eagerly(compiled: CompileCounter) -> None:
    """Each size is that of another trial, with a network of its own."""
    for size in _SIZES:
        network = prepare_network(small_model(), "compiled")
        before = compiled.frame_count
        network(torch.rand(size, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
        assert compiled.frame_count == before + 1


@pytest.mark.slow
def test_more_than_the_limit_fails(compiled: CompileCounter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainables.training.execution._MOST_COMPILED", 2)
    for size in (2, 3):
        prepare_network(small_model(), "compiled")(torch.rand(size, 1, 8, 8))
    with pytest.raises(Exception, match="recompile_limit"):
        prepare_network(small_model(), "compiled")(torch.rand(4, 1, 8, 8))
