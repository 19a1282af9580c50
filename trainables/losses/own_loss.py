"""Import and check of a user's own loss, for `trainables.losses` and `search_spaces`.

A loss is a dataclass, a class of `torch.nn.Module`, or a function. The last two become dataclasses here, whose fields
are their hyperparameters, so that all other code knows one form.
"""

import copy
import dataclasses
import functools
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trainables.own_code import import_object, one_line
from trainables.suggestion import shortened
from trainables.temperature import OWN_TEMPERATURE, declared_laws

#: The forms of a loss, for messages.
_FORMS = (
    "a dataclass with __call__(self, z_a, z_b), a class of torch.nn.Module with forward(self, z_a, z_b), or a "
    "function f(z_a, z_b, temperature=0.5); fields and further parameters are its hyperparameters"
)

#: What a loss must do, for messages.
_CALL = "expected is loss(z_a, z_b) on unit-norm (M, d) views, which returns a finite scalar tensor"

#: Why a loss may have no state, for messages.
_ALONE = "a loss depends on its two views and its hyperparameters alone"
_BUILT_AGAIN = "because a trial that continues from a checkpoint builds it again"

#: The attribute of a dataclass made of a class of `nn.Module` that holds its instance.
_MODULE = "_own_module"

#: Largest whole number that a column of floating-point numbers holds exactly.
_LARGEST_WHOLE = 2**53


def import_loss(path: str) -> type:
    """Import the loss at `my_package.my_module:MyLoss` as a dataclass whose instances are called with two views.

    The same object gives the same class. Raises `ValueError` in one line when the import fails, or when the object
    has none of the forms of a loss.
    """
    found = import_object(path, "loss")
    try:
        if not (isinstance(found, type) or inspect.isfunction(found)):
            raise ValueError(f"must be {_FORMS}")
        made = _as_dataclass(found)
        declared_laws(made, tuple(spec.name for spec in dataclasses.fields(made)))
        return made
    except ValueError as error:
        raise ValueError(f"loss: got {path!r}, {error}") from error


def check_storable(loss: Any, name: str) -> None:
    """Raise `ValueError` for a field of the loss whose value or default a record and its JSON cannot hold."""
    for spec in dataclasses.fields(loss):
        values = [getattr(loss, spec.name, dataclasses.MISSING)]
        if spec.default is not dataclasses.MISSING:
            values.append(spec.default)
        for fault in filter(None, map(_storage_fault, values)):
            raise ValueError(f"{name}: field {spec.name!r}: {fault}")


def check_trial_batch(
    loss: Callable[[Tensor, Tensor], Tensor],
    name: str = "loss",
    *,
    pairs: int = 8,
    dim: int = 16,
    again: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> None:
    """Call the loss on random unit-norm pairs (`pairs`, `dim`), forward and backward. `again` is an equal loss.

    Raises `ValueError` unless it returns a finite scalar with a finite gradient for at least one view, the same value
    in every call, trains no parameter, and keeps its buffers and the views.
    """
    generator = torch.Generator().manual_seed(0)
    batch = nn.functional.normalize(torch.randn(2, pairs, dim, generator=generator), dim=-1)
    before = {key: buffer.clone() for key, buffer in _buffers(loss)}
    where = f"{name}: on a trial batch of {pairs} pairs in {dim} dimensions"
    try:
        value, fault = _first_call(loss, batch)
        later = [] if fault else [float(each(*_views(batch)[1]).detach()) for each in (loss, again or loss)]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever the user's loss raises must end in one line
        raise ValueError(f"{where}: {one_line(error)}; {_CALL}") from error
    if fault:
        raise ValueError(f"{where}: {fault}")
    _refuse_trainable(loss, f"{name}: ")
    for key, buffer in _buffers(loss):
        if key not in before or not torch.equal(buffer, before[key]):
            raise ValueError(f"{name}: a call changes the buffer {key!r}; {_ALONE}, {_BUILT_AGAIN}")
    for other in later:
        if other != value:
            raise ValueError(
                f"{where}: two calls on one batch give different values: {value!r} and {other!r}; {_ALONE}, "
                f"{_BUILT_AGAIN}"
            )


def _first_call(loss: Callable[[Tensor, Tensor], Tensor], batch: Tensor) -> tuple[float, str | None]:
    """The value of the loss, and the fault of the call; None if there is none."""
    leaves, (z_a, z_b) = _views(batch)
    value = loss(z_a, z_b)
    for name, view, given in zip(("z_a", "z_b"), (z_a, z_b), batch, strict=True):
        if not torch.equal(view, given):
            return 0.0, f"the call changes {name} in place; it must leave its views as they are"
    if not isinstance(value, Tensor) or value.ndim != 0 or not bool(value.isfinite()):
        return 0.0, f"got {_shown(value)}, must be a finite scalar tensor; {_CALL}"
    gradients = torch.autograd.grad(value, leaves, allow_unused=True) if value.requires_grad else ()
    if all(gradient is None for gradient in gradients):
        return 0.0, f"got a value without a gradient for z_a and z_b; {_CALL} made of both views"
    # One view alone is right for a loss that stops the gradient of its targets.
    for name, gradient in zip(("z_a", "z_b"), gradients, strict=True):
        if gradient is not None and not bool(gradient.isfinite().all()):
            return 0.0, f"got a gradient for {name} that is not finite, must be finite"
    return float(value.detach()), None


def _views(batch: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Leaves with gradients, and the views made of them: in a trial, views are no leaves either."""
    leaves = [view.clone().requires_grad_() for view in batch]
    return leaves, [leaf.clone() for leaf in leaves]


@functools.cache
def _as_dataclass(found: Any) -> type:
    """The dataclass of a class or a function. The same one each time, since losses of one class train in one call."""
    if not isinstance(found, type):
        return _of_function(found)
    if issubclass(found, nn.Module):
        return _of_module(found)
    if not dataclasses.is_dataclass(found):
        raise ValueError(f"must be {_FORMS}")
    if "__call__" not in dir(found):
        raise ValueError(f"must define __call__(self, z_a, z_b); a loss is {_FORMS}")
    _refuse_defaults(list(inspect.signature(found.__call__).parameters.values())[1:])
    return found


def _refuse_defaults(parameters: Sequence[inspect.Parameter]) -> None:
    """Raise `ValueError` for a view with a default, which would be a hyperparameter given as a view."""
    for each in parameters[:2]:
        if each.default is not each.empty:
            raise ValueError(
                f"parameter {each.name!r} is a view, as one of the first two, and must not have a default; a loss "
                f"is {_FORMS}"
            )


def _of_function(function: Callable[..., Tensor]) -> type:
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) < 2 or any(
        each.kind not in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD) for each in parameters[:2]
    ):
        raise ValueError(f"must take the two views first; a loss is {_FORMS}")
    _refuse_defaults(parameters)

    def call(self: Any, z_a: Tensor, z_b: Tensor) -> Tensor:
        return function(z_a, z_b, **_values(self))

    return _dataclass_of(function, parameters[2:], {"__call__": call})


def _of_module(kind: type[nn.Module]) -> type:
    if kind.forward is nn.Module.forward:
        raise ValueError(f"must define forward(self, z_a, z_b); a loss is {_FORMS}")
    _refuse_defaults(list(inspect.signature(kind.forward).parameters.values())[1:])

    def build(self: Any) -> None:
        # Buffers with random values are then the same in every trial and in a trial that runs again.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            module = kind(**_values(self))
        _refuse_trainable(module, "")
        object.__setattr__(self, _MODULE, module)

    def call(self: Any, z_a: Tensor, z_b: Tensor) -> Tensor:
        module = getattr(self, _MODULE)
        if any(buffer.device != z_a.device for buffer in _tensors(module)):
            module.to(z_a.device)
        value: Tensor = module(z_a, z_b)
        return value

    parameters = list(inspect.signature(kind).parameters.values())
    return _dataclass_of(kind, parameters, {"__call__": call, "__post_init__": build})


def _dataclass_of(
    found: Any, parameters: Sequence[inspect.Parameter], methods: dict[str, Callable[..., Any]]
) -> type:
    """A frozen dataclass with a field for each parameter. `*args` and `**kwargs` stay empty."""
    named = [each for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    fields: list[tuple[str, Any, Any]] = []
    for each in named:
        if each.kind is each.POSITIONAL_ONLY:
            raise ValueError(f"parameter {each.name!r} must not be positional-only; a loss is {_FORMS}")
        default: Any = dataclasses.MISSING if each.default is each.empty else each.default
        if default is not dataclasses.MISSING and (fault := _storage_fault(default)):
            raise ValueError(f"parameter {each.name!r}: {fault}")
        if isinstance(default, list | dict):
            given: Any = dataclasses.field(default_factory=functools.partial(copy.deepcopy, default))
        else:
            given = dataclasses.field(default=default)
        fields.append((each.name, Any, given))
    name = found.__name__ if found.__name__.isidentifier() else "loss"  # a lambda has no name
    made = dataclasses.make_dataclass(name, fields, namespace=methods, frozen=True, kw_only=True)
    made.__module__, made.__doc__ = found.__module__, found.__doc__
    if hasattr(found, OWN_TEMPERATURE):
        setattr(made, OWN_TEMPERATURE, getattr(found, OWN_TEMPERATURE))
    return made


def _values(loss: Any) -> dict[str, Any]:
    return {spec.name: getattr(loss, spec.name) for spec in dataclasses.fields(loss)}


def _modules_of(loss: Any) -> Iterator[nn.Module]:
    """The loss itself if it is a module, and the modules among its attributes."""
    found = [loss, *vars(loss).values()] if hasattr(loss, "__dict__") else [loss]
    return (each for each in found if isinstance(each, nn.Module))


def _buffers(loss: Any) -> Iterator[tuple[str, Tensor]]:
    for module in _modules_of(loss):
        yield from module.named_buffers()


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    yield from module.buffers()
    yield from module.parameters()


def _refuse_trainable(loss: Any, prefix: str) -> None:
    trainable = [
        name
        for module in _modules_of(loss)
        for name, parameter in module.named_parameters()
        if parameter.requires_grad
    ]
    if trainable:
        raise ValueError(
            f"{prefix}has trainable parameters ({', '.join(trainable)}), which no trial would train: a study "
            "compares losses at equal networks; make them hyperparameters of __init__, or buffers"
        )


def _storage_fault(value: Any) -> str | None:
    """Why a record and its JSON cannot hold a value; None if they can."""
    if _is_storable(value):
        return None
    if value is dataclasses.MISSING:
        return "has no value after the loss is built"
    return (
        f"got {_shown(value)} of type {type(value).__name__}, which a record cannot hold; must be a finite number (a "
        "whole one at most 2**53), a printable text, true, false, None, or a list or table of these"
    )


def _is_storable(value: Any) -> bool:
    """Types must be exact, because subclasses, such as those of NumPy, are printed and compared in their own ways."""
    if type(value) in (list, tuple):
        return all(map(_is_storable, value))
    if type(value) is dict:
        return all(
            type(key) is str and _is_storable(key) and _is_storable(item) for key, item in value.items()
        )
    return (
        value is None
        or type(value) is bool
        or (type(value) is float and math.isfinite(value))
        or (type(value) is int and abs(value) <= _LARGEST_WHOLE)
        or (type(value) is str and value.isprintable())
    )


def _shown(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}" if value.ndim else str(value.item())
    return " ".join(shortened(value).split())
