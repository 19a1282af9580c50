"""Names of columns: tidy, without the prefixes that tools put before them, and each different."""

from collections import Counter
from dataclasses import dataclass

import pandas as pd

from analysis.tables.exports.layouts import is_adaptive, recognise
from analysis.tables.values import tidy_name

#: Prefixes of tools whose tables were cut or joined so that `exports` does not recognise them.
_PREFIXES = (
    *(
        "config/",
        "config.",
        "params/",
        "params.",
        "params_",
        "param/",
        "hparams/",
        "hparams.",
        "args/",
        "args.",
    ),
    *("hyperparameters/", "hyperparameters.", "metrics/", "metrics.", "summary/", "summary."),
    *("tags/", "tags.", "user_attrs_", "user_attrs.", "attributes/"),
)


@dataclass(frozen=True, kw_only=True)
class Named:
    """A table with bare column names."""

    rows: pd.DataFrame
    bare: dict[str, str]  # bare names by the names in the file, with and without spaces around them
    roles: dict[str, str]  # by bare name: what the layout of a tool says
    adaptive: bool = False  # whether the table tells that a search chose its configurations by earlier scores


def named_columns(rows: pd.DataFrame) -> Named:
    """The table with bare names. Raises `ValueError` where two columns would have the same name."""
    tidy = {name: tidy_name(name) for name in rows.columns}
    check_different(list(tidy.values()))
    layout = recognise(list(tidy.values()))
    names = layout.names if layout else _without_prefixes(list(tidy.values()))
    bare = {old: names.get(new, new) for old, new in tidy.items()}
    check_different(list(bare.values()))
    roles = {names.get(name, name): role for name, role in layout.roles.items()} if layout else {}
    return Named(
        rows=rows.set_axis(list(bare.values()), axis=1),
        bare={
            **{tidy[old]: new for old, new in bare.items()},
            **{str(old): new for old, new in bare.items()},
        },
        roles=roles,
        adaptive=is_adaptive(list(tidy.values())),
    )


def _without_prefixes(columns: list[str]) -> dict[str, str]:
    """Bare names of columns with a prefix, unless two columns would then have the same name."""
    bare = {}
    for name in columns:
        prefix = next((each for each in _PREFIXES if name.lower().startswith(each)), "")
        bare[name] = name[len(prefix) :] or name
    taken = Counter(bare.values())
    return {name: new if taken[new] == 1 else name for name, new in bare.items()}


def check_different(names: list[str]) -> None:
    """Raises `ValueError` where two columns have one name."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f"table: two columns have the name {repeated[0]!r}")
