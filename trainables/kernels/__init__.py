"""The kernels of the kernel contrastive loss by name.

To add one: a file here with its `Kernel`, a line below, and a loop version in `tests/reference/kernels.py`. The
contract test (`tests/trainables/losses/test_kernels.py`) names what is missing.
"""

from trainables.kernels.gaussian import GAUSSIAN
from trainables.kernels.gaussian_riesz import GAUSSIAN_RIESZ
from trainables.kernels.imq import IMQ
from trainables.kernels.kernel import Kernel
from trainables.kernels.log import LOG
from trainables.kernels.riesz import RIESZ

KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in (GAUSSIAN, LOG, IMQ, RIESZ, GAUSSIAN_RIESZ)}
