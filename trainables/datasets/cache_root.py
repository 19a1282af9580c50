"""Where decoded images are kept: an operational choice, no part of any trial's identity.

`STUDY_CACHE_ROOT` names the directory; set but empty, nothing is kept. By default it is
`contrastive-robustness` under `XDG_CACHE_HOME` or `~/.cache`, not under the data root, which is often
read-only. Everything in it can be made again, and may be deleted at any time.
"""

import os
import tempfile
from pathlib import Path

_NAME = "contrastive-robustness"


def cache_root() -> Path | None:
    """The directory of the cache, absolute, whether it exists or not; None where caching is switched off."""
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
    except RuntimeError:  # a container whose user has no home
        return Path(tempfile.gettempdir()) / _NAME
