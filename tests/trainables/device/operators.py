"""What operators do on a card, by name: which wait, which write, which launch a kernel, and which have no order."""

import functools
from typing import Any, NamedTuple

import torch

_A: Any = torch.ops.aten

#: Operators whose results the host needs before it can go on: their sizes depend on values, or they check them.
WAITS = {
    _A._local_scalar_dense.default,
    _A.nonzero.default,
    _A._unique2.default,
    _A.unique_dim.default,
    _A.unique_consecutive.default,
    _A.bincount.default,
    _A.equal.default,
    _A.masked_select.default,
    _A.repeat_interleave.Tensor,
    _A._linalg_eigh.default,
    _A._linalg_svd.default,
    _A._linalg_eigvals.default,
    _A.linalg_eig.default,
    _A.linalg_cholesky_ex.default,
    _A.linalg_lstsq.default,
    _A._linalg_solve_ex.default,
}

#: Operators that write what their schema does not name: arguments by position.
_WRITES_TOO = {_A.native_batch_norm.default: (3, 4), _A.cudnn_batch_norm.default: (3, 4)}

INDEXED = {
    _A.index.Tensor,
    _A._unsafe_index.Tensor,
    _A.index_put_.default,
    _A.index_put.default,
    _A._index_put_impl_.default,
}

#: Functions that autocast runs in the lower precision.
CAST_DOWN = {
    torch.conv1d,
    torch.conv2d,
    torch.conv3d,
    torch.nn.functional.linear,
    torch.matmul,
    torch.mm,
    torch.bmm,
    torch.addmm,
    torch.baddbmm,
    torch.einsum,
    torch.Tensor.matmul,
    torch.Tensor.__matmul__,
    torch.Tensor.mm,
    torch.Tensor.bmm,
}


#: Operators that add in no fixed order on CUDA, after torch's documentation of `use_deterministic_algorithms`.
_UNORDERED = {
    _A.index_add.default,
    _A.index_add_.default,
    _A.scatter_add.default,
    _A.scatter_add_.default,
    _A.scatter_reduce.two,
    _A.scatter_reduce_.two,
    _A.put_.default,
    _A.histc.default,
    _A.grid_sampler_2d_backward.default,
    _A.upsample_bilinear2d_backward.default,
    _A.upsample_bicubic2d_backward.default,
    _A._adaptive_avg_pool2d_backward.default,
    _A.max_pool2d_with_indices_backward.default,
    _A.reflection_pad2d_backward.default,
}

#: Operators whose rounding depends on the settings for TF32.
PRODUCTS = {_A.mm.default, _A.addmm.default, _A.bmm.default, _A.baddbmm.default}
CONVOLUTIONS = {_A.convolution.default, _A.convolution_backward.default}


def adds_in_no_order(func: Any, args: Any, kwargs: Any) -> bool:
    """Whether two calls with the same values may differ in rounding. The tensors are those of the host."""
    if func is _A.bincount.default:
        weights = args[1] if len(args) > 1 else kwargs.get("weights")
        return weights is not None and not bool(
            (weights == weights.round()).all()
        )  # whole numbers add exactly
    if func in INDEXED and func is not _A.index.Tensor:
        return len(args) > 3 and bool(args[3])  # accumulate
    if func is _A.cumsum.default:
        return args[0].is_floating_point()
    return func in _UNORDERED


class Facts(NamedTuple):
    """What the schema of an operator says."""

    written: tuple[int, ...]  # positions
    written_names: tuple[str, ...]
    launches: bool
    in_place: bool


@functools.cache
def facts_of(func: Any) -> Facts:
    schema = func._schema
    written = [
        (position, argument.name)
        for position, argument in enumerate(schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    ]
    view = any(found.alias_info is not None and not found.alias_info.is_write for found in schema.returns)
    name = schema.name.removeprefix("aten::")
    nothing = name.removeprefix("new_").startswith("empty") or name in ("_unsafe_view", "lift_fresh")
    return Facts(
        written=(*(position for position, _ in written), *_WRITES_TOO.get(func, ())),
        written_names=tuple(name for _, name in written),
        launches=not (view or nothing),
        in_place=bool(written),
    )
