"""A card: the answer to one question on provenance or fairness."""

from dataclasses import dataclass

PASS, WARN, FAIL = "pass", "warn", "fail"


@dataclass(frozen=True, kw_only=True)
class Card:
    """A level, a title, and the reason in one text.

    A failed card on settings withholds the decisions on `losses`.
    """

    level: str  # pass | warn | fail
    title: str
    text: str
    line: str = (
        ""  # the difference in short, with the values of both sides, such as `epochs: 12 for A, 50 for B`
    )
    losses: tuple[str, ...] = ()  # labels of the whole arms that cannot be compared with the reference

    @property
    def short(self) -> str:
        """The difference in short where there is one; the text of other cards."""
        return self.line or self.text
