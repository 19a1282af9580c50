"""Removes machine paths from texts that a report shows."""

import re

# an absolute path of two parts or more, not the tail of a URL; POSIX or Windows
_PATH = re.compile(
    r"(?<![\w/.])/(?!/)(?:[^\s/'\"<>]+/)+(?P<a>[^\s/'\"<>]*)|\b[A-Za-z]:\\(?:[^\s\\'\"]+\\)+(?P<b>[^\s\\'\"]*)"
)


def redact_paths(text: str) -> str:
    """The text with absolute paths reduced to their last part: `/a/b/digits.parquet` becomes `…/digits.parquet`."""
    return _PATH.sub(lambda found: f"…/{found['a'] or found['b'] or ''}", text)
