"""Reading of files that a user, or a stranger, hands in: only regular files, and only up to a stated size.

All code that reads a study file, a mapping, a table, an export or an image uses it. A pipe would make the reader wait
without end, and a device would fill the memory. Every refusal is an `OSError` whose `strerror` is one line, so the
readers report it as they report an absent file. This module imports only the standard library.
"""

import errno
import json
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, BinaryIO

#: The most bytes of a study file together with the files that it extends. TOML is read at about 1 MB a second.
STUDY_BYTES = 800_000

#: The most bytes of a small text file that is no study file: a mapping, an archive, a manifest.
TEXT_BYTES = 64_000_000

#: The most bytes of a file with a table, also once it is unpacked.
TABLE_BYTES = 1_000_000_000

#: The most bytes of a file with one image.
IMAGE_BYTES = 100_000_000

#: The most levels of lists and tables within each other, and the most parts of a dotted key.
DEEPEST = 16

#: The most characters of a number or of a key without quotes. Python takes minutes for numbers of a million digits.
_LONGEST_WORD = 200

#: What a TOML text is checked for: words that are too long, keys of too many parts, and brackets. A string counts as
#: one token, and so does a comment.
_TOKEN = re.compile(
    rf"""(?P<dotted>(?<![\w-])(?:(?:[\w-]++|"[^"\\\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{DEEPEST}}})"""
    rf"|(?P<word>(?<![\w.+-])[\w.+-]{{{_LONGEST_WORD + 1}}})"
    r'''|"""(?:[^"\\]++|\\.|"(?!""))*+(?:""")?'''
    r"""|'''(?:[^']++|'(?!''))*+(?:''')?"""
    r"""|"(?:[^"\\\n]++|\\.)*+"?|'[^'\n]*+'?|\#[^\n]*+"""
    r"|(?P<opens>[\[{])|(?P<closes>[\]}])",
    re.DOTALL,
)


class NotRegularError(OSError):
    """A folder, a pipe, a socket or a device, or a link to one."""


class TooLargeError(OSError):
    """A file that has more bytes than are read. The machine can hold it: this is not its `EFBIG`."""


def check_regular(path: str | Path, at_most: int | None = None, within: Path | None = None) -> os.stat_result:
    """The state of a regular file of at most `at_most` bytes that is in the folder `within`.

    Raises `NotRegularError` for another kind of file, `TooLargeError` for a larger one, and another `OSError` for a
    link that leads out of the folder, and for a path that no file can have.
    """
    try:
        state = os.stat(path)
        if within is not None and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(within)):
            raise OSError(errno.EXDEV, f"is a link that leads out of the folder {within}", str(path))
    except ValueError:
        raise OSError(errno.EINVAL, "the path has a NUL character", str(path)) from None
    _check(state, path, at_most)
    return state


def _check(state: os.stat_result, path: str | Path, at_most: int | None) -> None:
    if not stat.S_ISREG(state.st_mode):
        code = errno.EISDIR if stat.S_ISDIR(state.st_mode) else errno.EINVAL
        raise NotRegularError(code, f"is {_kind(state.st_mode)}, must be a regular file", str(path))
    if at_most is not None and state.st_size > at_most:
        raise TooLargeError(
            errno.EINVAL, f"has {state.st_size:,} bytes; at most {at_most:,} are read", str(path)
        )


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def opened(path: Path, at_most: int | None = None, within: Path | None = None) -> BinaryIO:
    """A regular file, or the one behind a link, open for reading. Raises `OSError` as `check_regular` does."""
    check_regular(path, at_most, within)  # before the file is opened: that alone may block, or move a tape
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY), "rb")
    try:
        _check(os.fstat(file.fileno()), path, at_most)  # it may be another file since the first look
    except OSError:
        file.close()
        raise
    return file


def read_bytes(path: Path, at_most: int, within: Path | None = None) -> bytes:
    """The content of a regular file of at most `at_most` bytes. Raises `OSError` as `check_regular` does."""
    with opened(path, at_most, within) as file:
        content = file.read(at_most + 1)
    if len(content) > at_most:  # the file grows, or is one of those in /proc that have no size
        raise TooLargeError(
            errno.EINVAL, f"has more than {at_most:,} bytes, which is the most that is read", str(path)
        )
    return content


def read_text(path: Path, at_most: int = TEXT_BYTES, within: Path | None = None) -> str:
    """The text of a UTF-8 file, with or without a byte order mark, and with line breaks as `\\n`.

    Raises `OSError` as `check_regular` does, and `UnicodeDecodeError`.
    """
    text = read_bytes(path, at_most, within).decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_toml(text: str) -> dict[str, Any]:
    """The tree of a TOML text. Raises `ValueError` with one line for another text and for one nested too deep."""
    _check_nesting(text)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise ValueError(_too_deep(text, len(text))) from None
    except ValueError as error:
        raise ValueError(plain_reason(error)) from error


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises `ValueError` with one line for another text and for one nested too deep."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("lists and objects are nested too deep") from None
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise ValueError(plain_reason(error)) from error


def plain_reason(error: Exception) -> str:
    """The reason of a parser's error in one line. Python's own one on long numbers advises to change Python."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    digits = re.match(r"Exceeds the limit \((\d+) digits\).* has (\d+) digits", line)
    return f"a whole number has {digits[2]} digits, at most {digits[1]} are read" if digits else line


def _check_nesting(text: str) -> None:
    depth = 0
    for token in _TOKEN.finditer(text):
        if token["dotted"] is not None:
            raise ValueError(
                f"a key has more than {DEEPEST} parts with dots between them (at line {_line(text, token.start())})"
            )
        if token["word"] is not None:
            raise ValueError(
                f"a number or key has more than {_LONGEST_WORD} characters (at line {_line(text, token.start())})"
            )
        depth += (token["opens"] is not None) - (token["closes"] is not None)
        if depth > DEEPEST:
            raise ValueError(_too_deep(text, token.start()))


def _too_deep(text: str, place: int) -> str:
    return f"more than {DEEPEST} lists and tables are nested (at line {_line(text, place)})"


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
