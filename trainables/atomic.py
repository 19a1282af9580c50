"""Writes a small file whole or not at all; the one before it is replaced in one step."""

import os
import uuid
from pathlib import Path

#: How the names of files begin that a killed process may leave behind.
TEMPORARY = ".tmp-"


def replace_file(path: Path, content: str | bytes) -> Path:
    """Write `content` to `path` by way of a temporary file beside it. Raises `OSError` when the disk refuses."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
