"""Reads structures in Thrift's compact protocol, which Parquet files use for their footer and the headers of pages.

Source: the specification `thrift-compact-protocol.md` of Apache Thrift. Only the types that Parquet uses are read.
Every loop and every recursion is bounded, since a stranger may have made the bytes.
"""

from typing import Any

#: The most items of a list, and the deepest nesting of structures.
MOST_ITEMS, _MOST_DEPTH = 4000, 12

_TRUE, _FALSE, _BYTE, _I16, _I64, _BINARY, _LIST, _STRUCT = 1, 2, 3, 4, 6, 8, 9, 12


class ThriftError(ValueError):
    """The bytes are no structure, or exceed a bound."""


def read_struct(content: bytes, place: int) -> tuple[dict[int, Any], int]:
    """The fields of the structure at `place` by their numbers, and the place after it. Raises `ThriftError`."""
    try:
        return _struct(content, place, 0)
    except IndexError as error:
        raise ThriftError("it ends too early") from error


def _struct(content: bytes, place: int, depth: int) -> tuple[dict[int, Any], int]:
    if depth > _MOST_DEPTH:
        raise ThriftError(f"it is nested deeper than {_MOST_DEPTH} levels")
    found: dict[int, Any] = {}
    field = 0
    while head := content[place]:
        place += 1
        kind, step = head & 15, head >> 4
        if step:
            field += step
        else:
            field, place = _number(content, place)
        if field in found:
            raise ThriftError("it has a field twice")
        if _I16 <= kind <= _I64:  # here and not by a call: a footer has thousands of them
            value = content[place]
            if value < 128:
                place += 1
            else:
                value, place = _varint(content, place)
            found[field] = (value >> 1) ^ -(value & 1)
        elif kind == _BINARY:
            size, place = _varint(content, place)
            found[field] = content[place : place + size]
            place += size
        elif kind in (_TRUE, _FALSE):  # the type is the value
            found[field] = kind == _TRUE
        elif kind == _STRUCT:
            found[field], place = _struct(content, place, depth + 1)
        elif kind == _LIST:
            found[field], place = _list(content, place, depth + 1)
        elif kind == _BYTE:
            found[field] = content[place]
            place += 1
        else:
            raise ThriftError("it has a value of an unknown type")
    return found, place + 1


def _list(content: bytes, place: int, depth: int) -> tuple[list[Any], int]:
    head = content[place]
    place += 1
    kind, count = head & 15, head >> 4
    if count == 15:
        count, place = _varint(content, place)
    if count > MOST_ITEMS or depth > _MOST_DEPTH:
        raise ThriftError(f"it has a list of {count:,} items, at most {MOST_ITEMS:,} are read")
    items: list[Any] = []
    for _ in range(count):
        item: Any
        if kind == _STRUCT:
            item, place = _struct(content, place, depth + 1)
        elif _I16 <= kind <= _I64:
            item, place = _number(content, place)
        elif kind == _BINARY:
            size, place = _varint(content, place)
            item, place = content[place : place + size], place + size
        else:
            raise ThriftError("it has a list of an unknown type")
        items.append(item)
    return items, place


def _number(content: bytes, place: int) -> tuple[int, int]:
    byte = content[place]
    value, place = (byte, place + 1) if byte < 128 else _varint(content, place)
    return (value >> 1) ^ -(value & 1), place


def _varint(content: bytes, place: int) -> tuple[int, int]:
    if content[place] < 128:
        return content[place], place + 1
    value = shift = 0
    while shift < 70:
        byte = content[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7
    raise ThriftError("it has a number that does not end")
