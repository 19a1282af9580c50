"""What the machine and its commands tell. Imports no torch: manifests ask too."""

import os
import platform
import subprocess
from pathlib import Path


def processor_name() -> str:
    """The model as Linux tells it, or what Python knows elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def output_of(command: list[str]) -> bytes | None:
    """What a command prints; None where it is not there, fails or hangs. Git asks the folder that it is given."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
