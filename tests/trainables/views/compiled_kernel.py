"""Compiles the kernel of the views to machine code of two cards, which needs no card."""

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from trainables.views.crop import ATTEMPTS
from trainables.views.kernel import views_kernel

_TYPES = {
    "images": "*u8",
    "uniform": "*fp32",
    "views": "*bf16",
    "batch": "i32",
    "columns": "i32",
    "size": "i32",
}
_CONSTANTS = {"ATTEMPTS": ATTEMPTS, "SOLARISE": True, "BILINEAR": True, "NORMALISE": True, "BLOCK": 32}


def main() -> None:
    """Raise if the kernel does not compile for an A100 or an H100."""
    names = [name for name in views_kernel.arg_names if name not in _CONSTANTS]
    signature = {name: _TYPES.get(name, "fp32") for name in names} | dict.fromkeys(_CONSTANTS, "constexpr")
    for capability in (80, 90):
        source = ASTSource(views_kernel, signature, constexprs=_CONSTANTS)
        target = GPUTarget("cuda", capability, 32)
        compiled = triton.compile(source, target=target, options={"enable_fp_fusion": True})
        assert compiled.asm["cubin"]


if __name__ == "__main__":
    main()
