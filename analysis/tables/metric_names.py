"""What the name of a metric says: whether higher is better, and whether its values lie between 0 and 1."""

import re
from dataclasses import dataclass

from analysis.tables.mapping import TableMapping
from analysis.tables.metric_words import (
    ERROR_RATES,
    HIGHER,
    LOWER,
    SHARES,
    SPLITS,
    WEAK_HIGHER,
    WEAK_SHARES,
    with_bare,
    words_of,
)
from analysis.tables.usual_names import words

#: Words of statistics that have not the direction of what they are computed from: "accuracy drop".
_NO_DIRECTION = frozenset(
    words(
        "drop gap std stdev sd var variance diff difference delta change decrease reduction improvement to rank ci "
        "ci95 sem inv inverse not free detection mia attack unfairness bias"
    )
)
_NEGATIONS = frozenset({"neg", "negative", "minus"})
_SYNONYMS = {
    "acc": "accuracy",
    "err": "error",
    "ppl": "perplexity",
    "map": "ap",
    "hits": "hit",
    "top1": "accuracy",
}

_FRACTION = re.compile(r"\s*\d+\s*[-/]")
_ONE_MINUS = re.compile(r"\s*(1|one)\s*(-|minus|_minus_)\s*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class NamedMetric:
    """A metric as its name tells it."""

    quantity: tuple[str, ...]  # the words of the name besides those for a part of the data
    higher_is_better: bool | None  # None where the name does not tell, or tells both
    is_share: bool  # whether values lie within [0, 1], or within 0 and 100 %; an error may be no rate


def named_metric(name: str) -> NamedMetric:
    """What a column's name tells. Examples: `val_loss`, `test/err@1`, `evalLoss`, `neg_mse`, `1-acc`, `mAP50`."""
    rest = _ONE_MINUS.sub("", name, count=1) if _ONE_MINUS.match(name) else name
    words = words_of(rest)
    quantity = tuple(_SYNONYMS.get(word, word) for word in words if word not in SPLITS)
    negations = (rest != name) + name.lstrip().startswith("-")
    kept = [word for word in words if word not in SPLITS]
    if kept and kept[0] in _NEGATIONS:
        negations, kept = negations + 1, kept[1:]
    higher, is_share = _direction(kept)
    if higher is None or negations > 1 or _NEGATIONS & set(kept) or _FRACTION.match(rest):
        return NamedMetric(quantity=quantity, higher_is_better=None, is_share=False)
    if negations:
        return NamedMetric(quantity=("not", *quantity), higher_is_better=not higher, is_share=False)
    return NamedMetric(quantity=quantity, higher_is_better=higher, is_share=is_share)


def quantity_of(name: str, mapping: TableMapping) -> NamedMetric:
    """What a name tells. Where it tells only the part of the data, as `val` does, that of `metric` counts."""
    told = named_metric(name)
    return told if told.quantity else named_metric(mapping.metric)


def settled_directions(mapping: TableMapping) -> tuple[bool, bool]:
    """Whether higher is better in the reported and in the selecting column, by the mapping or by their names.

    Raises `ValueError` where neither tells.
    """
    reported = named_metric(mapping.metric)
    first = mapping.higher_is_better
    first = reported.higher_is_better if first is None else first
    if first is None:
        raise ValueError(_question(mapping.metric, ""))
    if mapping.selects in (None, mapping.metric):
        return first, first
    selecting = quantity_of(str(mapping.selects), mapping)
    second = mapping.selects_higher_is_better
    if second is None:
        # One quantity on two parts of the data, such as test_fit and val_fit, has one direction.
        second = first if selecting.quantity == reported.quantity else selecting.higher_is_better
    if second is None:
        raise ValueError(_question(str(mapping.selects), "selects-"))
    return first, second


def _direction(words: list[str]) -> tuple[bool | None, bool]:
    """Whether higher is better, and whether the quantity is a share."""
    if any(word in _NO_DIRECTION for word in words):
        return None, False
    known = with_bare(words)
    shares, higher, lower = known & SHARES, known & HIGHER, known & LOWER
    if lower:
        return (None, False) if shares or higher else (False, _is_error_rate(words))
    if shares or higher:
        return True, bool(shares)
    if any(WEAK_SHARES.fullmatch(word) for word in words):
        return True, True
    return (True, False) if known & WEAK_HIGHER else (None, False)


def _is_error_rate(words: list[str]) -> bool:
    """Whether the words are those of an error rate, such as `test err` or `top1 error`."""
    return bool({"err", "error"} & set(words)) and set(words) <= ERROR_RATES | SPLITS


def _question(column: str, prefix: str) -> str:
    return f"metric {column}: is higher or lower better? add --{prefix}higher-is-better or --{prefix}lower-is-better"
