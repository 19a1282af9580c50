"""A pretended CUDA device, for tests without a GPU: tensors say `cuda:0`, and real values flow on the CPU.

Within `pretended_cuda`, mixed devices, a generator of the wrong device, and a use of what another stream writes
without a wait raise. Waits of the host and copies are noted; they raise within `asynchronous` and while a graph is
captured. `memory.hazards` has memory that was freed while another stream may still use it. A graph changes nothing
during its capture, and its replay runs the recorded operators again.

Not seen: kernels and their rounding, Philox numbers, cuDNN, how much memory there is, inductor (a compiled module is
the module itself), and the engine of autograd, which on a card runs each node on the stream of its forward pass.
"""

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch

from tests.trainables.device import graphs, streams
from tests.trainables.device.device_state import Device
from tests.trainables.device.generators import DefaultGenerator, Generator
from tests.trainables.device.tensors import CudaTensor, Functions, Operators
from trainables import run_facts
from trainables.training import execution

#: The memory of the pretended card, in bytes.
MEMORY = 2**37


@contextlib.contextmanager
def pretended_cuda() -> Iterator[Device]:
    """Pretend that this process has one CUDA device."""
    device = Device()
    future = torch.__future__
    with contextlib.ExitStack() as stack:
        for owner in (CudaTensor, streams.Stream, graphs.Graph):
            stack.enter_context(mock.patch.object(owner, "device_state", device, create=True))
        for name, value in _functions(device).items():
            stack.enter_context(mock.patch(f"torch.cuda.{name}", value))
        stack.enter_context(mock.patch("torch.Generator", Generator))
        stack.enter_context(mock.patch("torch.compile", lambda module, **options: module))
        stack.callback(
            future.set_overwrite_module_params_on_conversion,
            future.get_overwrite_module_params_on_conversion(),
        )
        future.set_overwrite_module_params_on_conversion(True)
        stack.enter_context(Operators())
        stack.enter_context(Functions())
        for known in (run_facts._known_name, execution._capture_stream):
            known.cache_clear()
            stack.callback(known.cache_clear)
        yield device


def _functions(device: Device) -> dict[str, Any]:
    """What stands for the functions and classes of `torch.cuda`."""
    properties = SimpleNamespace(name="Pretended", total_memory=MEMORY, major=9, minor=0)
    return {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "get_device_name": lambda *_: properties.name,
        "get_device_properties": lambda *_: properties,
        "get_device_capability": lambda *_: (9, 0),
        "is_bf16_supported": lambda *_, **__: True,
        "mem_get_info": lambda *_: (MEMORY, MEMORY),
        "max_memory_allocated": lambda *_: 1,
        "memory_allocated": lambda *_: 1,
        "max_memory_reserved": lambda *_: 1,
        "memory_reserved": lambda *_: 1,
        "reset_peak_memory_stats": lambda *_: None,
        "empty_cache": lambda: None,
        "synchronize": lambda *_: device.host_waits("synchronize"),
        "Stream": streams.Stream,
        "Event": streams.Event,
        "stream": streams.stream,
        "current_stream": lambda *_: device.current,
        "default_stream": lambda *_: device.default,
        "set_stream": lambda stream: setattr(device, "current", stream),
        "default_generators": (DefaultGenerator(),),
        "CUDAGraph": graphs.Graph,
        "graph": graphs.graph,
        "is_current_stream_capturing": lambda: device.recording is not None,
    }
