"""Parts of messages: first names of a list, first lines of errors, and a similar name."""

from trainables.suggestion import did_you_mean, first_line, first_names


def test_first_names_and_first_lines() -> None:
    assert first_names([], 2) == ""
    assert first_names(["a", "b"], 2) == "a, b"
    assert first_names(["a", "b", "c"], 2) == "a, b and 1 more"
    assert first_line(ValueError("\n one\ntwo")) == "one"
    assert first_line(OSError()) == "OSError"


def test_a_similar_name_is_suggested() -> None:
    assert did_you_mean("dhell", ("dhel", "kcl")) == " (did you mean dhel?)"
    assert did_you_mean("x", ("dhel", "kcl")) == ""
