"""Descriptions of the code, the packages and the machine of a launch, for its manifest. Imports no torch."""

import hashlib
import os
import platform
import shutil
import socket
from importlib import metadata
from pathlib import Path
from typing import Any

from study.launch.capacity import available_cpus
from trainables.machine import output_of, package_version, processor_name

#: Untracked files that can change a result.
_SOURCES = ("*.py", "*.toml")


def describe_code() -> dict[str, Any]:
    """This package's version (None if it is not installed), and the Git checkout that it runs from (None without)."""
    here = Path(__file__).resolve()
    tracked = _git(here.parent, "ls-files", "--error-unmatch", here.name) is not None
    return {
        "version": package_version(),
        "checkout": describe_checkout(here.parent) if tracked else None,
    }


def describe_checkout(folder: Path) -> dict[str, str | None] | None:
    """The Git revision of `folder`'s checkout and a hash of its uncommitted changes; None outside a checkout.

    `diff_hash` covers tracked files and untracked source files. It is None if there are no changes.
    """
    revision, top = _git(folder, "rev-parse", "HEAD"), _git(folder, "rev-parse", "--show-toplevel")
    if revision is None or top is None:
        return None
    root = Path(os.fsdecode(top.strip()))
    changes = _git(root, "diff", "HEAD", "--binary") or b""
    listed = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *_SOURCES) or b""
    for name in filter(None, listed.split(b"\0")):
        path = root / os.fsdecode(name)
        changes += name + b"\0" + (path.read_bytes() if path.is_file() else b"")
    return {
        "revision": revision.decode().strip(),
        "diff_hash": hashlib.blake2b(changes, digest_size=16).hexdigest() if changes else None,
    }


def package_versions() -> dict[str, str]:
    """Version of every installed distribution."""
    found = {each.metadata["Name"]: each.version for each in metadata.distributions()}
    return dict(sorted((name, version) for name, version in found.items() if name))


def describe_machine() -> dict[str, Any]:
    """The machine that starts the launch. The record of each trial has the node that ran the trial."""
    return {
        "node": socket.gethostname(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "processor": processor_name(),
        "processors": os.cpu_count(),
        "usable_processors": available_cpus(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "accelerators": _accelerators(),
    }


def _accelerators() -> list[str]:
    """Name, memory and driver of each NVIDIA device, without the seconds that importing torch takes."""
    if shutil.which("nvidia-smi") is None:
        return []
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    output = output_of(query)
    return output.decode(errors="replace").strip().splitlines() if output else []


def _git(folder: Path, *words: str) -> bytes | None:
    return output_of(["git", "-C", str(folder), *words])
