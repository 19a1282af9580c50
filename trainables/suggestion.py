"""Parts of error messages: suggestions for misspelled names, shortened lists, and first lines of other errors."""

import difflib
import itertools
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

#: Names that are longer, and more names than these, take too long to compare.
_LONGEST_NAME, _MOST_NAMES = 200, 2000

#: The most characters of a value or name in a message.
_LONGEST_SHOWN = 100

#: Larger whole numbers are shown by their size.
_LARGEST_WHOLE = 2**63 - 1


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A suggestion of the most similar known name, such as ` (did you mean dhel?)`; "" if no name is similar."""
    if len(name) > _LONGEST_NAME:
        return ""
    near = difflib.get_close_matches(name, itertools.islice(known, _MOST_NAMES), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def first_names(names: Sequence[str], most: int = 5) -> str:
    """The first `most` names, and how many more there are: `a, b and 3 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def first_line(error: BaseException) -> str:
    """The first line of an error's message; the name of its class where the message is empty."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def named_line(error: BaseException) -> str:
    """The class of an error and the first line of its message, such as `KeyError: 'lr'`."""
    name = type(error).__name__
    return f"{name}: {first_line(error)}" if str(error).strip() else name


def shortened(value: Any) -> str:
    """A value as messages show it: the text of `repr`, or only its beginning if it is long."""
    if isinstance(value, int) and abs(value) > _LARGEST_WHOLE:
        return f"{Decimal(value):.3e}"
    try:
        text = repr(value)
    except ValueError:  # a list or table holds a whole number with more digits than Python writes
        text = f"a {type(value).__name__} with a whole number of very many digits"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]} ..."


def short_name(name: object) -> str:
    """A name or key as messages show it: itself, or only its beginning if it is long."""
    text = str(name)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]} ..."
