"""What a standing says of losses in words, for the verdict on one data set and for that over several."""

from analysis.statistics.comparisons.decisions import (
    AS_ROBUST,
    BETTER_TUNED,
    CHOSEN_LOW,
    FLAT_BUT_LOW,
    HIGHER_PRICE,
    LESS_ROBUST,
    LOWER_PRICE,
    MORE_ROBUST,
    OPEN,
    REFERENCE_CHOSEN_LOW,
    REFERENCE_LOW,
    WITHHELD,
    WORSE_TUNED,
)

#: In the order in which losses are told. `than` names the reference or is empty, `within` is the tolerance, `price`
#: the difference in the price of not tuning, `by` and `average` those in the tuned score and in the average, and
#: `chosen` says that validation chooses a configuration below the average.
_PHRASES = {
    MORE_ROBUST: "{names} {are} more robust{than}",
    LESS_ROBUST: "{names} {are} less robust{than}",
    FLAT_BUT_LOW: (
        "{names} {pay} less for not tuning, but {are} worse{than} when tuned{by}: flat but low, which is not robust"
    ),
    REFERENCE_LOW: (
        "{names} {pay} {price}, but {are} better when tuned{by}: {reference} is flat but low, which is not robust"
    ),
    WORSE_TUNED: "{names} {are} worse{than} when tuned{by}, but better on average{average}: a trade-off",
    BETTER_TUNED: "{names} {are} better{than} when tuned{by}, but worse on average{average}: a trade-off",
    CHOSEN_LOW: "{names} {are} worse{than} when tuned{by}: {chosen}",
    REFERENCE_CHOSEN_LOW: "{names} {are} better{than} when tuned{by}: {chosen}",
    LOWER_PRICE: "{names} {pay} {price}, but may be more than {within} worse when tuned",
    HIGHER_PRICE: "{names} {pay} {price}, but may be more than {within} better when tuned",
    AS_ROBUST: "{names} {are} as robust as {reference}, within {within}",
    OPEN: "it is open whether {names} {are} more or less robust{than}",
    WITHHELD: "the verdict on {names} is withheld",
}


def place_of(standing: str) -> int:
    """The place of losses of a standing in the order in which they are told."""
    return list(_PHRASES).index(standing)


def phrase(
    standing: str,
    names: str,
    reference: str,
    within: str,
    *,
    several: bool,
    price: str = "",
    by: str = "",
    average: str = "",
    chosen: str = "",
    than: str | None = None,
) -> str:
    """The phrase on one loss or `several` of a standing. Without `price` it tells the direction only.

    Without `than`, it names the reference.
    """
    than = f" than {reference}" if than is None else than
    return _PHRASES[standing].format(
        names=names,
        reference=reference,
        within=within,
        are="are" if several else "is",
        pay="pay" if several else "pays",
        price=price or f"{'less' if standing == LOWER_PRICE else 'more'}{than} for not tuning",
        by=by,
        average=average,
        chosen=chosen
        or f"validation chooses below the average{f' of {reference}' if standing == REFERENCE_CHOSEN_LOW else ''}",
        than=than,
    )
