"""Generators of the pretended device."""

import weakref
from typing import Any, ClassVar

import torch

CUDA = torch.device("cuda:0")

_Generator = torch.Generator


class CudaGenerator(_Generator):
    """A generator of the device. It draws the numbers of a generator of the CPU."""

    device = CUDA  # type: ignore[assignment]
    alive: ClassVar[set[int]] = set()  # operators get a generator without its Python class

    def __init__(self) -> None:
        self.alive.add(self._cdata)
        weakref.finalize(self, self.alive.discard, self._cdata)


class DefaultGenerator:
    """Stands for the default generator of the device. Code without a generator draws from that of the host here."""

    def __init__(self) -> None:
        self._current: torch.Generator = _Generator()

    def get_state(self) -> torch.Tensor:
        return torch.default_generator.get_state()

    def set_state(self, state: torch.Tensor) -> None:
        torch.default_generator.set_state(state)

    def graphsafe_get_state(self) -> torch.Generator:
        """A generator with the state that is drawn from now."""
        self._current.set_state(self.get_state())
        return self._current

    def graphsafe_set_state(self, state: torch.Generator) -> None:
        """Draw from this state from now on."""
        self.graphsafe_get_state()
        self._current = state
        self.set_state(state.get_state())


class _GeneratorType(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _Generator)


class Generator(metaclass=_GeneratorType):
    """Stands for `torch.Generator`."""

    def __new__(cls, device: str | torch.device = "cpu") -> Any:
        return CudaGenerator() if names_cuda(device) else _Generator(device)


def names_cuda(device: object) -> bool:
    """Whether an argument is the device."""
    return isinstance(device, str | torch.device) and torch.device(device).type == "cuda"


def check_generators(given: list[Any], registered: list[torch.Generator] | None, *, on_cuda: bool) -> None:
    """Raise `RuntimeError` for a generator of the wrong device, or one that a captured graph does not know."""
    for each in given:
        if not isinstance(each, _Generator):
            continue
        if (each._cdata in CudaGenerator.alive) is not on_cuda:
            raise RuntimeError(f"expected a generator on {'cuda' if on_cuda else 'cpu'}, got the other")
        if on_cuda and registered is not None and each._cdata not in {known._cdata for known in registered}:
            raise RuntimeError("a generator that is not registered with the graph")
