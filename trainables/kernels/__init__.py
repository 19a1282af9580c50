"""The registry of kernels for the kernel contrastive loss, by name.

To add a kernel, write a file here with its `Kernel`, which declares how its parameter acts as a temperature
(`trainables.temperature`). Add it to `KERNELS`, and add a loop version in `tests/reference/kernels.py`. The contract
test (`tests/trainables/losses/test_kernels.py`) fails with the name of each missing part.
"""

from trainables.kernels.gaussian import GAUSSIAN
from trainables.kernels.gaussian_riesz import GAUSSIAN_RIESZ
from trainables.kernels.imq import IMQ
from trainables.kernels.kernel import Kernel
from trainables.kernels.log import LOG
from trainables.kernels.riesz import RIESZ

KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in (GAUSSIAN, LOG, IMQ, RIESZ, GAUSSIAN_RIESZ)}
