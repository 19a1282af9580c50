"""Texts that leave the machine in a report, without the places where files lie on it."""

import re

# an absolute path of two parts or more, not the tail of a URL; POSIX or Windows
_PATH = re.compile(
    r"(?<![\w/.])/(?!/)(?:[^\s/'\"<>]+/)+(?P<a>[^\s/'\"<>]*)|\b[A-Za-z]:\\(?:[^\s\\'\"]+\\)+(?P<b>[^\s\\'\"]*)"
)


def redact_paths(text: str) -> str:
    """Every absolute path cut to its last part: `/a/b/digits.parquet` becomes `…/digits.parquet`."""
    return _PATH.sub(lambda found: f"…/{found['a'] or found['b'] or ''}", text)
