"""The memory of looks: with which seeds the results of a study were first analysed.

The first complete look at a study is a report without missing trials. Every later look, with more seeds, is a further
chance of a wrong decision, so the analysis has to know the first one. Each remembered look is a small file in the
folder of the study, under a name that follows from its content. It is written once and never changed. So two reports
at once, and one that is killed, do no harm. The report may be deleted without any effect on the looks.
"""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.console import say_error
from study.plan import study_directory
from trainables.atomic import create_file
from trainables.machine_faults import reason_of
from trainables.reading import TEXT_BYTES, parse_json, read_text
from trainables.store.records import RecordStore

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.info import StudyInfo

#: The folder of looks, within that of a study, of an imported table or of a report.
LOOKS = "looks"

#: One seed has no interval, so nothing is decided, and its look costs nothing.
LEAST_SEEDS = 2

#: The most looks that are read. A study has one, and another one after an edit that replaces all trials.
_MOST_LOOKS = 100

NOT_KEPT = (
    "This look is not remembered, since nothing was written beside the results: a later report with more seeds may "
    "count as the first look."
)


@dataclass(frozen=True, kw_only=True)
class PastLook:
    """A look: the seeds, and the ids of all trials that were analysed."""

    seeds: tuple[str, ...]
    trials: frozenset[str]

    @property
    def content(self) -> bytes:
        """The content of its file; the same look has the same bytes."""
        return json.dumps({"seeds": self.seeds, "trials": sorted(self.trials)}).encode()

    @property
    def file_name(self) -> str:
        """The name of its file."""
        return f"{hashlib.sha256(self.content).hexdigest()[:16]}.json"


def with_look(
    info: "StudyInfo", table: "pd.DataFrame", home: Path, report: Path | None = None
) -> "StudyInfo":
    """The study with the look that an analysis of `table` is, among those that its folder `home` remembers.

    The first complete look is remembered in the folder of the `report`, if there is one. If that is not `home`, the
    study says that it is not remembered there. `table` has a row for each planned trial. Raises `OSError` if the
    look cannot be written.
    """
    from analysis.statistics.comparisons.looks import Look

    if info.adaptive or not info.ranks_losses:
        return info
    trials = trial_keys(table, info)
    now = {str(seed) for seed in info.seeds}
    folders = dict.fromkeys(folder for folder in (home, report) if folder is not None)
    past = [each for each in read_looks(folders) if each.trials & trials]
    first = min((len(each.seeds) for each in past), default=len(now))
    look = Look(first=first, seeds=len(now.union(*(each.seeds for each in past))))
    if past or len(now) < LEAST_SEEDS or table["status"].isna().any():
        return replace(info, look=look)
    if report is not None:
        write_looks(report, [PastLook(seeds=tuple(sorted(now)), trials=trials)])
    return replace(info, look=look, look_note="" if report == home else NOT_KEPT)


def trial_keys(table: "pd.DataFrame", info: "StudyInfo") -> frozenset[str]:
    """Ids of the trials of an analysis.

    The rows of another tool's table have no ids that last. Theirs are hashes of loss, hyperparameters, data set and
    seed.
    """
    if not info.imported:
        return frozenset(table["trial_id"])
    names = ["arm", "seed", "data", *sorted(name for name in table.columns if name.startswith("hp_"))]
    rows = table[[name for name in names if name in table.columns]].astype(object)
    told = (repr([str(value) for value in row]) for row in rows.itertuples(index=False))
    return frozenset(hashlib.sha256(text.encode()).hexdigest()[:20] for text in told)


def read_looks(folders: Iterable[Path]) -> list[PastLook]:
    """The looks that are remembered in the folders. A damaged file is named and left out."""
    found = []
    for folder in folders:
        for path in sorted((folder / LOOKS).glob("*.json"))[:_MOST_LOOKS]:
            try:
                found.append(_look(parse_json(read_text(path, TEXT_BYTES))))
            except FileNotFoundError:
                continue
            except (OSError, ValueError, LookupError, TypeError) as error:
                say_error(
                    f"left out: {path} remembers a look at the results, and is damaged ({reason_of(error)})"
                )
    return found


def write_looks(folder: Path, looks: Collection[PastLook]) -> None:
    """Remember the looks in the folder of a study. One that is there already stays. Raises `OSError`."""
    for look in looks:
        create_file(folder / LOOKS / look.file_name, look.content)


def copy_looks(sources: Iterable[RecordStore], target: RecordStore) -> None:
    """Remember in a store what others remember of the looks at their studies. Raises `OSError`."""
    for source in sources:
        for folder in sorted(path.parent for path in source.path.glob(f"studies/*/{LOOKS}")):
            write_looks(study_directory(target, folder.name), read_looks([folder]))


def _look(content: Any) -> PastLook:
    seeds, trials = content["seeds"], content["trials"]
    for name, values in (("seeds", seeds), ("trials", trials)):
        if not isinstance(values, list) or not values or not all(isinstance(each, str) for each in values):
            raise ValueError(f"{name}: must be a list of texts")
    return PastLook(seeds=tuple(sorted(set(seeds))), trials=frozenset(trials))
