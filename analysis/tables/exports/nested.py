"""Dicts in cells of tables, and nested dicts as one level of keys."""

import ast
import json
import re
from typing import Any

#: Key of a dict that stands for an object: an image or table of a tracker, or a value that JSON lacks.
_KIND = "_type"
#: The most dicts within each other.
_DEEPEST = 64
#: Numbers that Python writes in a dict and does not read from its text.
_UNWRITTEN = re.compile(r": (nan|-?inf)\b")


def as_dict(value: Any) -> dict[str, Any] | None:
    """A dict with keys of text, or the one whose Python or JSON text a cell has. None for any other value."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        for parse, text in ((json.loads, value), (ast.literal_eval, _UNWRITTEN.sub(": None", value.strip()))):
            try:
                value = parse(text)
                break
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue
    return value if isinstance(value, dict) and all(isinstance(key, str) for key in value) else None


def flattened(tree: dict[str, Any], separator: str, *, depth: int = _DEEPEST) -> dict[str, Any]:
    """Every value of a tree, by its keys with a separator between them. Objects that JSON lacks are left out.

    Raises `ValueError` for dicts that are nested more than `depth` deep.

    >>> flattened({"opt": {"lr": 0.1, "betas": [1, 2]}, "seed": 0}, "/")
    {'opt/lr': 0.1, 'opt/betas': [1, 2], 'seed': 0}
    """
    if not depth:
        raise ValueError(f"dicts are nested more than {_DEEPEST} deep")
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if not isinstance(value, dict) or not value:
            flat[str(key)] = value
        elif _KIND not in value:
            inner = flattened(value, separator, depth=depth - 1)
            flat |= {f"{key}{separator}{name}": leaf for name, leaf in inner.items()}
    return flat
