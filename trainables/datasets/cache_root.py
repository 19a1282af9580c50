"""The directory of cached data. It is an operational choice and not part of any trial's identity.

`STUDY_CACHE_ROOT` names the directory. An empty value switches the cache off. The default is
`contrastive-robustness` under `XDG_CACHE_HOME` or `~/.cache`. It is not under the data root, which is often
read-only. All files in the cache can be recreated, so they may be deleted at any time.
"""

import os
import tempfile
from pathlib import Path

_NAME = "contrastive-robustness"


def cache_root() -> Path | None:
    """The absolute path of the cache directory, which may not exist yet; None when the cache is switched off."""
    given = os.environ.get("STUDY_CACHE_ROOT")
    if given is None:
        return _default()
    return Path(given).expanduser().absolute() if given else None


def _default() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    if base:
        return Path(base).absolute() / _NAME
    try:
        return Path.home() / ".cache" / _NAME
    except RuntimeError:  # a container whose user has no home directory
        return Path(tempfile.gettempdir()) / _NAME
