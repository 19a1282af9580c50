"""Nested dicts as one level of keys."""

from typing import Any

#: Key of a dict that stands for an object: an image or table of a tracker, or a value that JSON lacks.
_KIND = "_type"


def flattened(tree: dict[str, Any], separator: str) -> dict[str, Any]:
    """Every value of a tree, by its keys with a separator between them. Objects that JSON lacks are left out.

    >>> flattened({"opt": {"lr": 0.1, "betas": [1, 2]}, "seed": 0}, "/")
    {'opt/lr': 0.1, 'opt/betas': [1, 2], 'seed': 0}
    """
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if not isinstance(value, dict) or not value:
            flat[str(key)] = value
        elif _KIND not in value:
            inner = flattened(value, separator)
            flat |= {f"{key}{separator}{name}": leaf for name, leaf in inner.items()}
    return flat
