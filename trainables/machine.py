"""This package's version, the processor, and the output of commands. Imports no torch: manifests use it too."""

import os
import platform
import subprocess
from functools import lru_cache
from importlib import metadata
from pathlib import Path


@lru_cache
def package_version() -> str | None:
    """The version of this package; None if it is not installed and only its source tree is on Python's path."""
    try:
        return metadata.version("contrastive-robustness")
    except metadata.PackageNotFoundError:
        return None


def processor_name() -> str:
    """The processor model from /proc/cpuinfo on Linux, or Python's description on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def output_of(command: list[str]) -> bytes | None:
    """The output of a command; None if it does not exist, fails, or takes more than 20 s.

    Variables `GIT_*` are removed from its environment, so that Git uses the folder in its arguments.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
