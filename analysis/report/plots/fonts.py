"""Fonts for the characters of users' names: the style's font, and installed fonts for characters that it lacks."""

from collections.abc import Iterable
from functools import cache

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties

from analysis.names import code

#: The font of all figures. It is part of matplotlib, so figures are the same on every machine.
FAMILY = "DejaVu Sans"

#: Beginnings of the names of fonts with other shapes than their characters have, and of fonts for mathematics.
_NOT_FOR_TEXT = ("cm", "STIX", "Last Resort", "DejaVu")


def drawable(text: str) -> str:
    r"""The text with its code, such as `\u4e2d`, in place of each character that no installed font has."""
    unknown = without_font(text)
    return "".join(code(char) if char in unknown else char for char in text) if unknown else text


def without_font(text: str) -> set[str]:
    """The characters of a text that no installed font has."""
    missing = _missing(text)
    return missing - covered_by(families_for(missing)) if missing else missing


def families_for(characters: Iterable[str]) -> tuple[str, ...]:
    """The style's font, and as few others as give these characters a font if any installed font has them."""
    missing, families = _missing("".join(characters)), [FAMILY]
    while missing:
        best = max(installed_families(), key=lambda family: len(missing & _characters(family)), default="")
        if not best or not missing & _characters(best):
            break
        families.append(best)
        missing -= _characters(best)
    return tuple(families)


def covered_by(families: Iterable[str]) -> frozenset[str]:
    """The characters that at least one of the fonts has."""
    return frozenset().union(*map(_characters, families))


def _missing(text: str) -> set[str]:
    """The characters that the style's font lacks. Line breaks are drawn without it."""
    return set() if text.isascii() else set(text) - _characters(FAMILY) - {"\n"}


@cache
def installed_families() -> tuple[str, ...]:
    """Names of the installed fonts with outlines that may stand in for the style's, in sorted order."""
    names = {entry.name for entry in font_manager.fontManager.ttflist if entry.style == "normal"}
    return tuple(sorted(name for name in names if not name.startswith(_NOT_FOR_TEXT)))


@cache
def _characters(family: str) -> frozenset[str]:
    """The characters that a font has; none for a font that cannot be read. The style's font also has a bold face."""
    weights = ("normal", "bold") if family == FAMILY else ("normal",)
    try:
        paths = [
            font_manager.findfont(FontProperties(family=[family], weight=weight), fallback_to_default=False)
            for weight in weights
        ]
        maps = [font_manager.get_font(path).get_charmap() for path in dict.fromkeys(paths)]
    except (OSError, RuntimeError, ValueError):  # removed since matplotlib listed it, or not readable
        return frozenset()
    return frozenset.intersection(*(frozenset(map(chr, each)) for each in maps))
