"""Names of users become visible texts, short texts and names of files; different ones stay different."""

import pytest

from analysis.names import brief, columns, distinct_names, file_names, spaced, visible
from tests.analysis.hostile import NAMES, TEXTS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_$b 数据 é 😀", "a_$b 数据 é 😀"),
        ("a\r\nb\tc\x00\x1b[31m", "a\\r\\nb\\tc\\x00\\x1b[31m"),
        ("\x7f\x9b\u2028", "\\x7f\\x9b\\u2028"),
        ("\u202egnp\u2066\u200b\ufeff", "\\u202egnp\\u2066\\u200b\\ufeff"),
        ("\udcff", "\\udcff"),
        ("a\u2062\u3164\u034f\ufff9\U000e0041b", "a\\u2062\\u3164\\u034f\\ufff9\\U000e0041b"),
        ("نمی\u200cخواهم", "نمی\u200cخواهم"),
        ("\N{WOMAN}\u200d\N{PERSONAL COMPUTER}", "\N{WOMAN}\u200d\N{PERSONAL COMPUTER}"),
    ],
)
def test_characters_without_a_shape_become_codes(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


def test_marks_that_would_cover_other_lines_become_codes() -> None:
    assert visible("a" + 8 * "\u0301" + "b") == "a" + 8 * "\u0301" + "b"
    assert visible("a" + 3000 * "\u0301") == "a" + 8 * "\u0301" + 2992 * "\\u0301"


@pytest.mark.parametrize("text", TEXTS)
def test_a_visible_text_is_printable_and_stays(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(visible(text)) == visible(text)


def test_a_long_text_is_brief() -> None:
    assert brief("x" * 10, 10) == "x" * 10
    assert brief("x" * 11, 10) == "x" * 10 + "… (1 more characters)"


def test_lines_may_stay() -> None:
    assert visible("a\nb\tc\x1b", lines=True) == "a\nb\tc\\x1b"


@pytest.mark.parametrize("most", [12, 24, 84])
def test_short_names_are_short_and_different(most: int) -> None:
    names = [*map(visible, NAMES), "数" * 99, "数" * 98 + "据", "é" * 99 + "e\u0301"]
    short = distinct_names(names, most)
    assert all(columns(text) <= most for text in short.values())
    assert len(set(short.values())) == len(names)
    assert all(short[name] == name for name in names if columns(name) <= most)


def test_numbers_of_short_names_are_not_taken() -> None:
    long = ["a" * 50 + "1" + "b" * 50, "a" * 50 + "2" + "b" * 50]
    numbered = distinct_names(long, 12)[long[0]]
    assert numbered == "aaaaa…bbbb 1"
    assert len(set(distinct_names([numbered, *long], 12).values())) == 3


def test_a_cut_does_not_part_a_mark_from_its_letter() -> None:
    name = "e\u0301" * 30
    assert distinct_names([name], 11)[name] == "e\u0301" * 5 + "…" + "e\u0301" * 5


def test_file_names_are_safe_and_different_whatever_the_case() -> None:
    found = file_names(NAMES, instead="data")
    assert len({name.lower() for name in found.values()}) == len(NAMES)
    assert all(name.isascii() and name.replace("_", "a").isalnum() for name in found.values())
    assert max(map(len, found.values())) <= 51
    assert (found["a"], found["A"], found["CON"], found[".."], found["$$"]) == (
        "a",
        "a_2",
        "con_",
        "data_4",
        "data",
    )


def test_only_joined_words_are_spaced() -> None:
    assert [spaced(name) for name in ("learning_rate", "_x", "a__b", "x$_y", "lr")] == [
        "learning rate", "_x", "a__b", "x$_y", "lr",
    ]  # fmt: skip
