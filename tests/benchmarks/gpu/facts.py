"""What the rows were measured on."""

import platform
from datetime import UTC, datetime

import torch

from tests.benchmarks.gpu.rows import Row, Rows
from tests.benchmarks.gpu.settings import Settings
from trainables.machine import processor_name
from trainables.run_facts import git_revision

#: `what` of the row with the device's name, and of the row with everything else.
DEVICE, VERSIONS = "device", "versions"


def facts(settings: Settings) -> Rows:
    """The device's name, and versions. Raises for a GPU that cannot be used."""
    if not settings.on_gpu:
        yield Row(what=DEVICE, value=f"{processor_name()} (no GPU)")
    else:
        torch.ones(1, device="cuda").sum().item()
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        yield Row(what=DEVICE, value=f"{torch.cuda.get_device_name()}, {memory:.0f} GiB")
    cuda = f", CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}" if settings.on_gpu else ""
    versions = f"torch {torch.__version__}{cuda}, Python {platform.python_version()}"
    yield Row(what=VERSIONS, value=f"{versions}, revision {git_revision()}, {datetime.now(UTC):%Y-%m-%d}")
