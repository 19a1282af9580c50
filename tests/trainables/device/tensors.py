"""The tensor of the pretended device: it says `cuda:0` and computes on the CPU, with what a card forbids."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from tests.trainables.device.device_state import Device, Operation, storage_of
from tests.trainables.device.generators import CUDA, check_generators, names_cuda
from tests.trainables.device.operators import (
    CAST_DOWN,
    CONVOLUTIONS,
    INDEXED,
    PRODUCTS,
    WAITS,
    Facts,
    adds_in_no_order,
    facts_of,
)
from tests.trainables.device.streams import Stream

_A: Any = torch.ops.aten


class CudaTensor(torch.Tensor):
    """Says `cuda:0`; `host` has the values. To C++ it is of device `meta`, so that autograd needs no driver."""

    host: torch.Tensor
    device_state: Device

    @staticmethod
    def __new__(cls, host: torch.Tensor) -> "CudaTensor":
        with torch._C._DisableTorchDispatch(), torch._C.DisableTorchFunction():
            meta = torch.empty_strided(host.shape, host.stride(), dtype=host.dtype, device="meta")
        self = torch.Tensor._make_subclass(cls, meta, False, device_for_backend_keys=CUDA)  # type: ignore[call-arg]
        self.host = host.detach()
        return self

    device = property(lambda self: CUDA)  # type: ignore[assignment]
    is_cuda = property(lambda self: True)  # type: ignore[assignment]
    is_cpu = property(lambda self: False)  # type: ignore[assignment]
    is_meta = property(lambda self: False)  # type: ignore[assignment]

    def get_device(self) -> int:
        return 0

    def tolist(self) -> Any:
        _wait("tolist")
        return self.host.tolist()

    def numpy(self, **options: object) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    def record_stream(self, stream: Stream) -> None:  # type: ignore[override]
        """Keep the memory, when it is freed, until the stream is done with what it has now."""
        self.device_state.memory.recorded(self.host, stream)

    def __repr__(self, **options: object) -> str:  # type: ignore[override]
        return f"CudaTensor({self.host})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        _wait("save")
        return self.host.__reduce_ex__(protocol)

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


class Operators(TorchDispatchMode):
    """Sees every operator, also of the backward pass."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # otherwise torch imports its compiler, which takes seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


class Functions(TorchFunctionMode):
    """Sees calls from Python, where torch would ask the driver: tensors made on, or moved to, the device."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in (torch.Tensor.cuda, torch.Tensor.to):
            target = _target(func, args, kwargs)
            if target is not None:
                ahead = bool(kwargs.get("non_blocking")) and getattr(args[0], "has_pages_locked", False)
                return _moved(args[0], *target, copy=bool(kwargs.get("copy")), ahead=ahead)
        if func is torch.Tensor.new_tensor and isinstance(args[0], CudaTensor):
            func, args, kwargs = torch.tensor, args[1:], {"dtype": args[0].dtype} | kwargs | {"device": CUDA}
        if func is torch.Tensor.pin_memory:
            pinned = args[0].clone()
            pinned.has_pages_locked = True
            return pinned
        if names_cuda(kwargs.get("device")):
            return _made(func, args, kwargs)
        if "generator" in kwargs:
            on_cuda = any(isinstance(each, CudaTensor) for each in args)
            check_generators([kwargs["generator"]], _registered(), on_cuda=on_cuda)
        if func in CAST_DOWN and torch.is_autocast_enabled("cuda"):
            args, kwargs = _mapped(_cast_down, args), {k: _mapped(_cast_down, v) for k, v in kwargs.items()}
        return func(*args, **kwargs)


def _target(func: Any, args: Any, kwargs: Any) -> tuple[torch.dtype, Any] | None:
    """Type and memory format of a move to the device; None for any other call of `Tensor.to`."""
    own = args[0].dtype
    if func is torch.Tensor.cuda:
        return own, kwargs.get("memory_format")
    if any(isinstance(each, CudaTensor) for each in args[1:]):
        return next(each for each in args[1:] if isinstance(each, CudaTensor)).dtype, None
    if any(isinstance(each, torch.Tensor) for each in args[1:]):
        return None
    plain = {key: value for key, value in kwargs.items() if key != "copy"}
    device, dtype, _, memory_format = torch._C._nn._parse_to(*args[1:], **plain)
    return (dtype or own, memory_format) if device is not None and device.type == "cuda" else None


def _moved(
    tensor: torch.Tensor, dtype: torch.dtype, memory_format: Any, *, copy: bool, ahead: bool
) -> torch.Tensor:
    """The tensor on the device. With `ahead`, the host does not wait for the copy."""
    if isinstance(tensor, CudaTensor):
        layout = {} if memory_format is None else {"memory_format": memory_format}
        return tensor.to(dtype=dtype, copy=copy, **layout)
    if tensor.requires_grad and torch.is_grad_enabled():
        raise NotImplementedError("a differentiable copy to the pretended device")
    if not ahead or _device().recording is not None:
        _device().note("copy from the host to the device")
    layout = {"memory_format": memory_format or torch.preserve_format}
    return _register("copy_", lambda: tensor.detach().to(dtype=dtype, copy=True, **layout))


def _made(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """A tensor that is made on the device."""
    if any(isinstance(each, CudaTensor) for each in args):
        return func(*args, **{key: value for key, value in kwargs.items() if key != "device"})
    check_generators([kwargs.get("generator")], _registered(), on_cuda=True)
    if func in (torch.tensor, torch.as_tensor, torch.asarray):
        _device().note("copy from the host to the device")
    return _register(func.__name__, lambda: func(*args, **(kwargs | {"device": "cpu"})))


def _register(name: str, call: Callable[[], torch.Tensor]) -> CudaTensor:
    with torch._C._DisableTorchDispatch():
        made = call()
    launches = not name.startswith("empty")
    operation = Operation(
        name=name, call=call, made=[made], read=frozenset(), written=frozenset(), launches=launches
    )
    _device().issue(operation)
    return CudaTensor(made)


def _cast_down(value: Any) -> Any:
    if isinstance(value, CudaTensor) and value.dtype == torch.float32:
        return value.to(torch.get_autocast_dtype("cuda"))
    return value


def run(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Run an operator on the tensors of the host. Raises for what a card refuses."""
    given = [*_flat(args), *_flat(kwargs.values())]
    tensors = [each for each in given if isinstance(each, torch.Tensor)]
    on_cuda = any(isinstance(each, CudaTensor) for each in tensors)
    target = kwargs.get("device")
    to_host = target is not None and target.type == "cpu"
    if not on_cuda and (target is None or to_host):
        check_generators(given, None, on_cuda=False)
        return func(*args, **kwargs)
    check_generators(given, _registered(), on_cuda=True)
    _check_devices(func, args, kwargs, tensors, to_host=to_host)
    facts = facts_of(func)
    host_args = _mapped(_host, args)
    host_kwargs = {key: _mapped(_host, value) for key, value in kwargs.items()}
    if target is not None:
        host_kwargs["device"] = torch.device("cpu")
    written = [
        each
        for each in _flat(
            [
                *(host_args[position] for position in facts.written if position < len(host_args)),
                *(host_kwargs[name] for name in facts.written_names if name in host_kwargs),
            ]
        )
        if isinstance(each, torch.Tensor)
    ]
    device = _device()
    if device.recording is not None:
        device.recording.keep(written)
    if adds_in_no_order(func, host_args, host_kwargs):
        device.unordered.append(str(func))
    if func in PRODUCTS:
        device.precisions.add(("product", torch.backends.cuda.matmul.fp32_precision, host_args[0].dtype))
    if func in CONVOLUTIONS:
        device.precisions.add(("convolution", torch.backends.cudnn.conv.fp32_precision, host_args[0].dtype))
    found = func(*host_args, **host_kwargs)
    _note_operation(func, facts, host_args, host_kwargs, tensors, written, found)
    if facts.in_place:  # what is written over comes back as itself
        own = {id(_host(each)): each for each in tensors}
        return _mapped(lambda each: own.get(id(each), _wrapped(each, to_host)), found)
    return _mapped(lambda each: _wrapped(each, to_host), found)


def _note_operation(
    func: Any,
    facts: Facts,
    args: Any,
    kwargs: Any,
    tensors: list[torch.Tensor],
    written: list[torch.Tensor],
    found: Any,
) -> None:
    device = _device()
    changed = frozenset(storage_of(each) for each in written)
    read = frozenset(storage_of(_host(each)) for each in tensors if isinstance(each, CudaTensor)) - changed
    made = [
        each
        for each in _flat([found])
        if isinstance(each, torch.Tensor) and storage_of(each) not in read | changed
    ]
    if device.recording is not None:  # numbers from the host are part of a captured launch
        args = _mapped(lambda each: each, args)
    operation = Operation(
        name=func._schema.name.removeprefix("aten::"),
        call=lambda: func(*args, **kwargs),
        made=made,
        read=read,
        written=changed,
        launches=facts.launches,
    )
    device.issue(operation)


def _check_devices(
    func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], tensors: list[torch.Tensor], *, to_host: bool
) -> None:
    """Note waits and copies. Raises `RuntimeError` for tensors on both devices."""
    mixed = [each for each in tensors if not isinstance(each, CudaTensor)]
    if func in (_A._to_copy.default, _A.copy_.default):
        if to_host or isinstance(args[0], CudaTensor) is False:
            _wait(f"{func}: copy from the device to the host")
        elif mixed:
            _device().note(f"{func}: copy from the host to the device")
        return
    if func in INDEXED:
        index = [each for each in args[1] if each is not None]
        if not isinstance(args[0], CudaTensor):
            raise RuntimeError(f"{func}: indices on cuda for a tensor on the cpu")
        filled = len(args) > 2 and args[2].numel() == 1
        if any(each.dtype == torch.bool for each in index) and not filled:
            _wait(f"{func}: a mask as an index")
        if any(each.ndim and not isinstance(each, CudaTensor) for each in index):
            _device().note(f"{func}: copy of an index from the host to the device")
        mixed = [each for each in args[2:3] if not isinstance(each, CudaTensor)]
    if any(each.ndim for each in mixed):
        raise RuntimeError(f"{func}: tensors on cuda:0 and on the cpu")
    if func in WAITS:
        _wait(str(func))


def _wait(what: str) -> None:
    """The host waits for the current stream."""
    device = _device()
    device.host_waits(what, [device.current])


def _registered() -> list[torch.Generator] | None:
    """The generators of the graph that is being captured, if one is."""
    recording = _device().recording
    return None if recording is None else recording.generators


def _device() -> Device:
    return CudaTensor.device_state


def _host(value: Any) -> Any:
    return value.host if isinstance(value, CudaTensor) else value


def _wrapped(value: Any, to_host: bool) -> Any:
    return CudaTensor(value) if isinstance(value, torch.Tensor) and not to_host else value


def _flat(values: Any) -> Iterator[Any]:
    for each in values:
        if isinstance(each, list | tuple):
            yield from _flat(each)
        else:
            yield each


def _mapped(change: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_mapped(change, each) for each in value))
    if isinstance(value, list | tuple):
        return type(value)(_mapped(change, each) for each in value)
    return change(value)
