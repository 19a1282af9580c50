"""Execution modes of a training step, used by the `Trainer`. They change results by rounding at most.

`eager` launches every operation separately. `compiled` compiles the network with `torch.compile`. `graphed` records
the whole step, including views, loss and update, as one CUDA graph. This removes the kernel launches of a small
step (about 240 kernels). `compiled_graphed` does both.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from trainables.runtime import EXECUTIONS
from trainables.training.step import TrainingStep

#: Steps before the capture. Libraries choose kernels and allocate workspaces in these steps.
_WARM_UP_STEPS = 3


def prepare_network(network: nn.Module, execution: str) -> nn.Module:
    """The network in the form that the step calls. Raises `ValueError` for an unknown execution mode."""
    if execution not in EXECUTIONS:
        raise ValueError(f"execution: got {execution!r}; allowed are {', '.join(EXECUTIONS)}")
    if not execution.startswith("compiled"):
        return network
    # Shapes never change within a trial. After an earlier trial in the process, torch would otherwise compile
    # for dynamic shapes.
    compiled: nn.Module = torch.compile(network, dynamic=False)  # type: ignore[assignment]
    return compiled


def prepare_step(
    step: TrainingStep, device: torch.device, execution: str
) -> Callable[[Tensor, Tensor], Tensor]:
    """The step in the form that the training loop calls. Raises `ValueError` for graphs without a CUDA device."""
    if not execution.endswith("graphed"):
        return step
    if device.type != "cuda":
        raise ValueError(f"execution: got {execution} on {device.type}; CUDA graphs need a CUDA device")
    return GraphedStep(step)


class GraphedStep:
    """A step that is captured as a CUDA graph at its first call and replayed at every call."""

    def __init__(self, step: TrainingStep) -> None:
        self._step = step
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, images: Tensor, factor: Tensor) -> Tensor:
        if self._graph is None:
            self._graph = self._capture(images, factor)
        self._images.copy_(images)
        self._factor.copy_(factor)
        self._graph.replay()
        return self._values

    def _capture(self, images: Tensor, factor: Tensor) -> torch.cuda.CUDAGraph:
        self._images, self._factor = images.clone(), factor.clone()
        put_back = self._remember()
        self._warm_up()
        put_back()
        torch.cuda.empty_cache()  # frees the warm-up's memory: a graph has its own pool
        graph = torch.cuda.CUDAGraph()
        for generator in self._step.generators:
            graph.register_generator_state(generator)
        with torch.cuda.graph(graph):
            self._values = self._step(self._images, self._factor)
        return graph

    def _warm_up(self) -> None:
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UP_STEPS):
                self._step(self._images, self._factor)
        torch.cuda.current_stream().wait_stream(aside)

    def _remember(self) -> Callable[[], None]:
        """Save all state that a step changes. The returned function restores it in place."""
        network = {name: value.clone() for name, value in self._step.network.state_dict().items()}
        momenta = [value.clone() for value in self._step.optimizer.state()]
        generators = [generator.get_state() for generator in self._step.generators]

        def put_back() -> None:
            self._step.network.load_state_dict(network)
            self._step.optimizer.restore(momenta)
            for generator, state in zip(self._step.generators, generators, strict=True):
                generator.set_state(state)

        return put_back
