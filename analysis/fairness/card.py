"""A card: the answer to one question on provenance or fairness."""

from dataclasses import dataclass

PASS, WARN, FAIL = "pass", "warn", "fail"


@dataclass(frozen=True, kw_only=True)
class Card:
    """A level, a title, and the reason in one text."""

    level: str  # pass | warn | fail
    title: str
    text: str
