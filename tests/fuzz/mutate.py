"""Small mutators: each makes a changed copy of a file's bytes, of a study file, or of a record's row.

All chance comes from the generator that the caller gives, so a case is known by its number.
"""

import io
import random
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from trainables.store.schema import record_schema

#: Texts that someone may put where a name, a path or a message belongs.
TEXTS = (
    "",
    " ",
    "../../outside",
    "/outside",
    "a\nb",
    "\x1b]0;title\x07\x1b[31m",
    "\u202eabc",
    "\x00",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "nan",
    "-1",
    "9" * 400,
    "x" * 100_000,
    "os:system",
    "{" * 3000,
)

#: The first columns of the schema identify the trial.
_IDENTITY = 12

NUMBERS = (0, -1, 1, 2**31, 2**63 - 1, -(2**63))
REALS = (float("nan"), float("inf"), -float("inf"), -1.0, 1e308, 5e-324)

#: Pieces of TOML, whole lines or values, that a study file may contain by mistake or by intent.
TOML = (
    "name = ",
    "name = '../../outside'",
    "seeds = []",
    "seeds = [0, 0]",
    "seeds = [1e400]",
    f"seeds = {'9' * 5000}",
    f"seeds = [{', '.join(map(str, range(60_000)))}]",
    f"{'a.' * 20_000}a = 1",
    f"deep = {'[' * 5000}{']' * 5000}",
    f"deep = {'{a = ' * 2000}1{'}' * 2000}",
    "[axes]",
    "[[axes]]",
    "batch_size = { from = 1, to = 1e300, count = 1000000000 }",
    "batch_size = [nan]",
    "batch_size = [0]",
    "temperature = { from = 1e-300, to = 1e300, count = 3 }",
    "extends = 'study.toml'",
    "extends = '/dev/zero'",
    "extends = '..'",
    "extends = '\\u0000'",
    "without = ['losses']",
    '[losses."os:system"]',
    '[losses."../x:y"]',
    "[losses.ntxent.temperature]",
    "loss = 7",
    "draws = 1979-05-27T07:32:00Z",
    "width = 999999999999999999999",
    "width = 2.5",
    "width = true",
    "width = '4'",
    "metric = '__class__'",
    "reference = 'nobody'",
    "\x00",
    "\ufeff",
    "'''",
    '"\\ud800"',
    "=",
    "]",
    "#" * 100_000,
)


def mutated_bytes(content: bytes, chance: random.Random) -> bytes:
    """Some bytes flipped, cut, doubled, moved, or replaced by others."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        place = chance.randrange(len(data) + 1)
        length = chance.choice((1, 4, 64, 1024))
        kind = chance.randrange(6)
        if kind == 0 and place < len(data):
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[place : place + length]
        elif kind == 2:
            data[place:place] = data[place : place + length]
        elif kind == 3:
            data[place : place + length] = chance.randbytes(length)
        elif kind == 4:
            data[place : place + 4] = chance.choice((b"\xff" * 4, b"\x00" * 4, b"\xff\xff\xff\x7f"))
        else:
            del data[place:]
        if not data:
            break
    return bytes(data)


def mutated_text(text: str, chance: random.Random) -> str:
    """A study file with lines or words removed, repeated, exchanged, or replaced by pieces of TOML."""
    lines = text.split("\n")
    for _ in range(chance.choice((1, 1, 2, 4))):
        place, other = chance.randrange(len(lines)), chance.choice(lines)
        change: Callable[[str], Sequence[str]] = chance.choice(
            (
                lambda line: [],
                lambda line: [line, line],
                lambda line: [chance.choice(TOML), line],
                lambda line: [line, chance.choice(TOML)],
                lambda line: [line.partition("=")[0] + "= " + chance.choice(TOML).partition("=")[2]],
                lambda line: [line.replace("=", chance.choice(("", "==", "= [", "= {")))],
                lambda line: [line[: chance.randrange(len(line) + 1)]],
                lambda line, other=other: [other],  # type: ignore[misc]
                lambda line: [line.replace("1", chance.choice(("1e999", "-1", "1" * 30, "1.5", "nan")))],
            )
        )
        lines[place : place + 1] = change(lines[place])
        lines = lines or [""]
    return "\n".join(lines)


def mutated_row(row: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A record with hostile values of the right type in one to three of its columns."""
    changed, columns = dict(row), list(record_schema())
    if chance.random() < 0.5:
        columns = columns[:_IDENTITY]  # what other code looks up, prints, and makes paths of
    for column in chance.sample(columns, chance.choice((1, 1, 2, 3))):
        if pa.types.is_string(column.type):
            changed[column.name] = chance.choice(TEXTS)
        elif pa.types.is_integer(column.type):
            changed[column.name] = chance.choice(NUMBERS)
        elif pa.types.is_floating(column.type):
            changed[column.name] = chance.choice(REALS)
        elif pa.types.is_map(column.type):
            changed[column.name] = [(chance.choice(TEXTS), chance.choice(TEXTS))]
        elif pa.types.is_boolean(column.type):
            changed[column.name] = chance.random() < 0.5
        elif column.nullable:
            changed[column.name] = None
    return changed


def mutated_json(value: Any, chance: random.Random, *, odds: float = 0.01) -> Any:
    """A tree with some of its values replaced by others, of any type, and some of its keys removed."""
    if chance.random() < odds:
        return chance.choice((None, True, {}, [], [[]], {"": 0}, *TEXTS, *NUMBERS, 1e308))
    if isinstance(value, dict):
        return {
            key: mutated_json(item, chance, odds=odds)
            for key, item in value.items()
            if chance.random() > odds / 4
        }
    if isinstance(value, list):
        return [mutated_json(item, chance, odds=odds) for item in value]
    return value


def mutated_zip(content: bytes, chance: random.Random) -> bytes:
    """The archive with a member renamed to a hostile name, repeated, replaced, or removed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        members = old.infolist()
        chosen = chance.choice(members)
        for member in members:
            name, data = member.filename, old.read(member)
            kind = chance.randrange(5) if member is chosen else -1
            info = zipfile.ZipInfo(name)
            if kind == 0:
                continue
            if kind == 1:
                info.filename = chance.choice(
                    ("../outside", "/outside", "a/../../outside", "C:\\outside", "..\\outside", "", "x" * 300)
                )
            elif kind == 2:
                info.external_attr = 0o120777 << 16
                data = chance.choice((b"/etc/passwd", b"..", b"../../outside"))
            elif kind == 3:
                data = mutated_bytes(data, chance)
            elif kind == 4:
                data = b"\0" * chance.choice((1, 1 << 16, 1 << 24))
            new.writestr(info, data)
    return out.getvalue()
