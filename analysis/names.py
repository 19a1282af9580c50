"""Names as data: texts of users that may contain any character, for readers and for files.

Names of losses, labels, columns, data sets and studies, values of axes and messages of errors come from users. Tables
keep them unchanged. What readers see is `visible`; figures show `distinct_names`; files have `file_names`.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

#: Characters without a shape that look like nothing or change the order of others: soft hyphens, joiners, fillers,
#: invisible operators, tags and marks of direction. ZWNJ and ZWJ are not among them: Persian and emoji need them.
_SHAPELESS = frozenset("\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u3164\ufeff\uffa0")
_DIRECTIONS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2060, 0x2070))))
_SIGNS = frozenset(map(chr, (*range(0xFFF9, 0xFFFC), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE0080))))
_INVISIBLE = _SHAPELESS | _DIRECTIONS | _SIGNS

#: The most combining marks on one letter. No language needs more, and more of them would cover the lines above.
_MARKS = 8

#: Categories of control characters, lone surrogates, and separators of lines and paragraphs.
_CODED = frozenset({"Cc", "Cs", "Zl", "Zp"})

#: Names that Windows reserves, with any ending.
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)

_JOINED = re.compile(r"[^\W_]+(_[^\W_]+)*")

_ELLIPSIS = "…"
_LONGEST_FILE_NAME = 48


def visible(text: str, *, lines: bool = False) -> str:
    r"""The text with its codes in place of characters that have no shape: `a\nb`, `\x1b[31m`, `\u202e`.

    These are control characters, marks of direction, invisible characters, lone surrogates, and marks on a letter
    beyond the eighth. With `lines`, line breaks and tabs stay. A visible text stays as it is. Whatever shows a text
    of a user or of a record shows this one.

    >>> print(visible("a" + chr(10) + "b" + chr(0x202E)))
    a\nb\u202e
    """
    if text.isascii() and text.isprintable():
        return text
    kept, marks, found = "\n\t" if lines else "", 0, []
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        is_coded = category in _CODED or char in _INVISIBLE or marks > _MARKS
        found.append(code(char) if is_coded and char not in kept else char)
    return "".join(found)


def brief(text: str, most: int) -> str:
    """The text, or the beginning of one that has more than `most` characters, and how many more it has.

    >>> brief("a text that is long", 6)
    'a text… (13 more characters)'
    """
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"


def code(char: str) -> str:
    r"""The code of a character, such as `\x1b` or `\u202e`.

    >>> print(code("中"))
    \u4e2d
    """
    plain = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    number = ord(char)
    return plain.get(char) or (
        f"\\x{number:02x}"
        if number < 0x100
        else f"\\u{number:04x}"
        if number < 0x10000
        else f"\\U{number:08x}"
    )


def spaced(name: str) -> str:
    """A name of words joined by underscores with spaces in place of them; any other name unchanged.

    >>> spaced("learning_rate"), spaced("_x$")
    ('learning rate', '_x$')
    """
    return name.replace("_", " ") if _JOINED.fullmatch(name) else name


def columns(text: str) -> int:
    """The width of a text in columns: two for a wide character such as a Chinese one, none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def distinct_names(names: Iterable[str], most: int) -> dict[str, str]:
    """A text of at most `most` columns for each name, by name. Different names have different texts.

    A long name keeps its beginning and its end. Names that would then be equal get numbers.

    >>> distinct_names(["a name that is long", "a name that is very long"], 12)
    {'a name that is long': 'a nam…long 1', 'a name that is very long': 'a nam…long 2'}
    """
    names = list(dict.fromkeys(names))
    short = {name: _cut(name, most) for name in names}
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(short[name], []).append(name)
    taken = {text for text, group in alike.items() if len(group) == 1}
    for group in (group for group in alike.values() if len(group) > 1):
        short |= _numbered(group, most, taken)
    return short


def _numbered(names: list[str], most: int, taken: set[str]) -> dict[str, str]:
    """Texts that end in numbers; each of them is added to `taken`."""
    found, count = {}, 0
    for name in names:
        while True:
            count += 1
            text = f"{_cut(name, most - 1 - len(str(count)), always=True)} {count}"
            if text not in taken:
                break
        taken.add(text)
        found[name] = text
    return found


def _cut(name: str, most: int, *, always: bool = False) -> str:
    """The name, or its beginning and end; with `always`, also a name that is not too long has an ellipsis."""
    if columns(name) <= most - always:
        return name + _ELLIPSIS * always
    end = (most - 1) // 2
    clusters = list(_clusters(name))
    head = _fitting(clusters, most - 1 - end)
    return head + _ELLIPSIS + "".join(reversed(list(_fitting_parts(clusters[::-1], end))))


def _fitting(clusters: Iterable[str], most: int) -> str:
    return "".join(_fitting_parts(clusters, most))


def _fitting_parts(clusters: Iterable[str], most: int) -> Iterator[str]:
    for cluster in clusters:
        most -= columns(cluster)
        if most < 0:
            return
        yield cluster


def _clusters(text: str) -> Iterator[str]:
    """The characters with the combining marks and joined characters that follow them."""
    held = ""
    for char in text:
        if held and not (_columns(char) == 0 or held.endswith("\u200d")):
            yield held
            held = ""
        held += char
    if held:
        yield held


def file_names(names: Iterable[str], *, instead: str = "name") -> dict[str, str]:
    """A name for a file or folder for each name, by name: small letters, digits and `_`, and not long.

    The file names are different, no system reserves them, and they are safe as parts of paths and as anchors. A name
    without any such letter is called `instead`.

    >>> file_names(["A b", "a_b", "../x", "CON", "数据"])
    {'A b': 'a_b', 'a_b': 'a_b_2', '../x': 'x', 'CON': 'con_', '数据': 'name'}
    """
    names, taken = list(dict.fromkeys(names)), set[str]()
    found = {}
    for name in names:
        plain = re.sub("[^a-z0-9]+", "_", name.lower()).strip("_")[:_LONGEST_FILE_NAME].strip("_") or instead
        plain += "_" * (plain in _RESERVED)
        free = (plain, *(f"{plain}_{count}" for count in range(2, len(names) + 2)))
        found[name] = next(each for each in free if each not in taken)
        taken.add(found[name])
    return found
