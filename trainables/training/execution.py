"""Execution modes of a training step, used by the `Trainer`. They change results by rounding.

`eager` launches every operation separately. `fused` does so too, but makes its views with one call, if `can_fuse`: of
a C function on a CPU, of a kernel on CUDA. `compiled` compiles the network with `torch.compile`. `graphed` records
the whole step, including views, loss and update, as one CUDA graph. This removes the kernel launches of a small step.
`compiled_graphed` does both. A compiled step on CUDA also makes its views with the kernel. The kernel's square root
and exponential are approximate, so the side of a crop box may round to another pixel than in other modes.
"""

import dataclasses
import functools
import logging
from collections.abc import Callable

import torch
from torch import Tensor, nn

from trainables.device_faults import DeviceLostError, is_out_of_gpu_memory, refuse_lost_device
from trainables.runtime import EXECUTIONS, FUSED, Runtime
from trainables.suggestion import first_line
from trainables.training.own_draws import default_generator
from trainables.training.precision import matmul_precision
from trainables.training.step import MakeViews, TrainingStep
from trainables.training.twin import TwinNetwork
from trainables.views.batched import Views
from trainables.views.cpu_kernel import views_on_cpu
from trainables.views.fused import can_fuse, deviation, fused_views

_log = logging.getLogger(__name__)

#: How the names of the modes with torch.compile begin.
_COMPILED = "compiled"

#: The largest difference that rounding may cause between the views' kernel and its definition: a fortieth of a grey
#: level, in units of the pixel range.
_LARGEST_DEVIATION = 1e-4

#: Steps before the capture. Libraries choose kernels and allocate workspaces in these steps.
_WARM_UP_STEPS = 3

#: The most times that one process compiles one function. Beyond it, the trial fails.
_MOST_COMPILED = 4096


def usable(runtime: Runtime) -> Runtime:
    """The runtime with an execution mode that works on this machine, if its mode may change.

    Without a working compiler, `compiled_graphed` becomes `graphed`, and `compiled` becomes `eager`. Without the
    kernel of the views, `fused` on CUDA becomes `eager` too. The log has the reason, and the record has the mode that
    ran.
    """
    needed = _needed(runtime)
    if not runtime.execution_may_change or needed is None:
        return runtime
    try:
        reason = needed(runtime.device)
    except RuntimeError as error:
        if is_out_of_gpu_memory(error):  # says nothing about the mode; the trial meets it too, and records it
            return runtime
        raise
    if reason is None:
        return runtime
    instead = "graphed" if runtime.execution.endswith("graphed") else "eager"
    _log.warning("execution: %s instead of %s, because %s", instead, runtime.execution, reason)
    return dataclasses.replace(runtime, execution=instead)


def _needed(runtime: Runtime) -> Callable[[str], str | None] | None:
    """The function that says why a device lacks what the runtime's mode needs; None for a mode that needs nothing."""
    if runtime.execution.startswith(_COMPILED):
        return _why_not_compiled
    if runtime.execution == FUSED and runtime.device.startswith("cuda"):
        return _why_no_kernel
    return None


@functools.cache
def _why_not_compiled(device: str) -> str | None:
    """Why compiled steps do not work on a device; None if they do. Takes seconds at its first call.

    Raises for a lack of GPU memory, and `DeviceLostError`: both say nothing about the mode, and are not cached.
    """
    try:
        torch.compile(_double, dynamic=False)(torch.ones(8, device=device))
    except Exception as error:  # the class tells what is missing: Triton, a C compiler, a recent enough card
        _refuse_no_answer(error)
        return f"torch.compile fails here: {type(error).__name__}: {first_line(error)}"
    return _why_no_kernel(device)


@functools.cache
def _why_no_kernel(device: str) -> str | None:
    """Why the kernel of the views does not work on a device; None if it does. Raises as `_why_not_compiled`."""
    try:
        with matmul_precision("float32", torch.device(device)):  # whatever the process is set to
            difference = deviation(device)
    except Exception as error:
        _refuse_no_answer(error)
        return f"the kernel of the views fails here: {type(error).__name__}: {first_line(error)}"
    if not difference <= _LARGEST_DEVIATION:
        return f"the kernel of the views is wrong here, by {difference:.2g} of the pixel range"
    return None


def _refuse_no_answer(error: Exception) -> None:
    """Raise an error that another trial, or another process, would not meet."""
    refuse_lost_device(error)
    if is_out_of_gpu_memory(error):
        raise error


def _double(x: Tensor) -> Tensor:
    return 2 * x


def views_function(views: Views, execution: str, device: torch.device) -> MakeViews | None:
    """The function that makes all views of a step at once; None for steps that use the batched form.

    `fused` steps have one, and compiled steps on CUDA, for views that it can make. Raises `RuntimeError` if the
    kernel does not work on this card.
    """
    if not can_fuse(views):
        return None
    if device.type == "cuda" and (execution == FUSED or execution.startswith(_COMPILED)):
        if reason := _why_no_kernel(str(device)):
            raise RuntimeError(f"execution: got {execution}, but {reason}")
        return functools.partial(fused_views, views)
    if device.type == "cpu" and execution == FUSED:
        return functools.partial(views_on_cpu, views)
    return None


def prepare_network(network: nn.Module, execution: str) -> nn.Module:
    """The network in the form that the step calls.

    Raises `ValueError` for an unknown execution mode.
    """
    if execution not in EXECUTIONS:
        raise ValueError(f"execution: got {execution!r}; allowed are {', '.join(EXECUTIONS)}")
    if not execution.startswith(_COMPILED):
        return network
    _compile_every_shape()
    if next(network.parameters()).device.type == "cuda":
        _compile_alike()
    # Shapes never change within a trial. After an earlier trial in the process, torch would otherwise compile
    # for dynamic shapes.
    if isinstance(network, TwinNetwork):
        network.twin = torch.compile(network.twin, dynamic=False)  # type: ignore[assignment]
        return network
    compiled: nn.Module = torch.compile(network, dynamic=False)  # type: ignore[assignment]
    return compiled


def _compile_every_shape() -> None:
    """Let torch compile a function for every shape and network of this process.

    By default, torch silently runs a function eagerly once it has compiled it 8 times. The record would then name an
    execution mode in which the trial did not run.
    """
    import torch._dynamo  # seconds, paid only by compiled steps

    torch._dynamo.config.recompile_limit = _MOST_COMPILED
    torch._dynamo.config.accumulated_recompile_limit = _MOST_COMPILED
    torch._dynamo.config.fail_on_recompile_limit_hit = True


def _compile_alike() -> None:
    """Let torch's compiler choose kernels by rules, where it has such a mode.

    By default it measures some of them on the device, where other trials may run at that time. The choice, and with
    it the rounding, would then depend on them.
    """
    import torch._inductor.config as inductor  # seconds, paid only by compiled steps

    if hasattr(inductor, "deterministic"):
        inductor.deterministic = True


def prepare_step(
    step: TrainingStep, device: torch.device, execution: str
) -> Callable[[Tensor, Tensor], Tensor]:
    """The step in the form that the training loop calls. Raises `ValueError` for graphs without a CUDA device."""
    if not execution.endswith("graphed"):
        return step
    if device.type != "cuda":
        raise ValueError(f"execution: got {execution} on {device.type}; CUDA graphs need a CUDA device")
    return GraphedStep(step)


@functools.cache
def _capture_stream(device: torch.device) -> torch.cuda.Stream:
    """The stream on which the steps of trials that run alone are captured.

    One for the process: cuBLAS keeps a workspace for each stream until the process ends.
    """
    return torch.cuda.Stream(device)


def _refuse_open_capture(error: Exception) -> None:
    """Raise `DeviceLostError` if the capture that failed with `error` is not over for torch's allocator.

    Some versions of torch keep it open. The allocator then frees no memory in this process, for any trial.
    """
    try:
        torch.cuda.empty_cache()
    except RuntimeError:
        raise DeviceLostError(
            f"no memory can be freed after a failed capture: {first_line(error)}"
        ) from error


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
        # Not the default stream, on which nothing can be captured.
        current = torch.cuda.current_stream()
        side = _capture_stream(images.device) if current == torch.cuda.default_stream() else current
        self._warm_up(side)
        put_back()
        torch.cuda.empty_cache()  # frees the warm-up's memory: a graph has its own pool
        graph = torch.cuda.CUDAGraph()
        for generator in self._step.generators:
            graph.register_generator_state(generator)
        try:
            # Other trials may run on their streams at this time.
            with torch.cuda.graph(graph, stream=side, capture_error_mode="thread_local"):
                self._values = self._step(self._images, self._factor)
        except Exception as error:
            torch.cuda.set_stream(current)  # some versions of torch keep the stream of a capture that failed
            _refuse_open_capture(error)
            raise
        return graph

    def _warm_up(self, stream: torch.cuda.Stream) -> None:
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_STEPS):
                self._step(self._images, self._factor)
        torch.cuda.current_stream().wait_stream(stream)

    def _remember(self) -> Callable[[], None]:
        """Save all state that a step changes. The returned function restores it in place."""
        network, optimizer = self._step.network, self._step.optimizer
        # The optimiser has the weights of which a twin has copies.
        changed = [*network.parameters(), *network.buffers(), *optimizer.parameters(), *optimizer.state()]
        values = [tensor.detach().clone() for tensor in changed]
        # Own code may draw from the default generator.
        generators = [*self._step.generators, default_generator(self._images.device)]
        states = [generator.get_state() for generator in generators]

        def put_back() -> None:
            with torch.no_grad():
                for tensor, value in zip(changed, values, strict=True):
                    tensor.copy_(value)
            for generator, state in zip(generators, states, strict=True):
                generator.set_state(state)

        return put_back
