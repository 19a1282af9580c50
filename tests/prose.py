"""Texts for readers, tested by the facts in them and not by their wording."""

import re


def assert_says(text: str, *facts: object) -> None:
    """Every fact, a number or a name, stands in the text as whole words; no-break spaces count as spaces."""
    plain = text.replace("\N{NO-BREAK SPACE}", " ")
    absent = [fact for fact in facts if not re.search(rf"(?<![\w.]){re.escape(str(fact))}(?!\w|\.\d)", plain)]
    assert not absent, f"{absent} not in {plain!r}"
