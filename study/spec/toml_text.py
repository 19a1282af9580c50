"""Writes a tree of tables, lists, texts, numbers and truths as TOML, which Python's library only reads."""

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def render_toml(tree: Mapping[str, Any]) -> str:
    """A document that reads back as `tree`: plain values first, then a header for each table."""
    return "\n".join(_lines(tree, ())).lstrip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    lines = [f"\n[{'.'.join(render_key(part) for part in path)}]"] if path else []
    inner = {key: value for key, value in table.items() if _has_header(value, path)}
    lines += [
        f"{render_key(key)} = {render_value(value)}" for key, value in table.items() if key not in inner
    ]
    for key, value in inner.items():
        lines += _lines(value, (*path, key))
    return lines


def _has_header(value: Any, path: tuple[str, ...]) -> bool:
    """Tables of the top and of `[losses]`; deeper ones are ranges, which people write in one line."""
    return isinstance(value, Mapping) and (not path or path == ("losses",))


def render_key(key: str) -> str:
    """A key as it stands in a document, in quotes where it must be."""
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def render_value(value: Any) -> str:
    """A value as it stands behind a key."""
    if isinstance(value, Mapping):
        return (
            "{ "
            + ", ".join(f"{render_key(key)} = {render_value(item)}" for key, item in value.items())
            + " }"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(render_value(item) for item in value) + "]"
    if isinstance(value, str):
        return _text(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _text(text: str) -> str:
    """JSON's escapes are TOML's, but for the character 127, which TOML wants escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
