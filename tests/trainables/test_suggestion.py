"""Parts of messages: first names of a list, first lines of errors, and a similar name."""

from trainables.suggestion import did_you_mean, first_line, first_names, named_line, shortened


def test_first_names_and_first_lines() -> None:
    assert first_names([], 2) == ""
    assert first_names(["a", "b"], 2) == "a, b"
    assert first_names(["a", "b", "c"], 2) == "a, b and 1 more"
    assert first_line(ValueError("\n one\ntwo")) == "one"
    assert first_names(list("abcdef")) == "a, b, c, d, e and 1 more"
    assert first_line(OSError()) == "OSError"
    assert named_line(ValueError("\n one\ntwo")) == "ValueError: one"
    assert named_line(OSError("")) == "OSError"


def test_a_value_of_any_size_is_shown() -> None:
    assert shortened("a") == "'a'"
    assert shortened(10**5000) == "1.000e+5000"
    assert shortened([10**5000]) == "a list with a whole number of very many digits"
    assert shortened("x" * 200) == f"'{'x' * 99} ..."


def test_a_similar_name_is_suggested() -> None:
    assert did_you_mean("dhell", ("dhel", "kcl")) == " (did you mean dhel?)"
    assert did_you_mean("x", ("dhel", "kcl")) == ""
