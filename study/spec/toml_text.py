"""Writes trees of keys as TOML text with tomlkit.

Studies that extend others, `study extend` and the key reference use it.
"""

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.items import Item


def render_toml(tree: Mapping[str, Any]) -> str:
    """A TOML document with the content of `tree`: plain values first, then a header for each table."""
    document = tomlkit.document()
    _fill(document, tree, headers=2)
    return tomlkit.dumps(document).strip() + "\n"


def render_value(value: Any) -> str:
    """The TOML text of a value, as it follows a key."""
    return _item(value).as_string()


def _fill(table: Any, tree: Mapping[str, Any], *, headers: int) -> None:
    """Write `tree` into `table`.

    Tables of the top level and of `[losses]` get headers. Deeper tables are ranges, which are written in one line.
    """
    inner = {key: value for key, value in tree.items() if headers and isinstance(value, Mapping)}
    for key, value in tree.items():
        if key not in inner:
            table.append(key, _item(value))
    for key, value in inner.items():
        below = headers - 1 if key == "losses" else 0
        header = tomlkit.table(is_super_table=bool(below and value))
        _fill(header, value, headers=below)
        table.append(key, header)


def _item(value: Any) -> Item:
    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        for key, item in value.items():
            inline.append(key, _item(item))
        return inline
    if isinstance(value, (list, tuple)):
        array = tomlkit.array()
        for item in value:
            array.append(_item(item))
        return array
    return tomlkit.item(value)
