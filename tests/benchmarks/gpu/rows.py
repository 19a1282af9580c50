"""The rows of the GPU benchmark: JSON lines, each written as soon as it is measured."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NO_GPU = "not measured: no GPU"

PASSED = "passed"

#: `what` of the row with which a part that failed or was stopped ends.
STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A result. `target` is what is to be reached, in the same unit."""

    what: str
    value: float | str
    unit: str = ""
    target: str = ""
    part: str = ""
    check: str = ""  # the check whose outcome it is; see `tests.benchmarks.gpu.checks`
    batch_size: int = 0  # these say to which training a row belongs
    execution: str = ""
    at_once: int = 0
    loss: str = ""
    temperature: float = 0.0

    @property
    def text(self) -> str:
        """The value with its unit."""
        value = f"{self.value:.4g}" if isinstance(self.value, float) else str(self.value)
        return f"{value} {self.unit}".rstrip()

    def line(self) -> str:
        """The row as people read it."""
        return f"{self.part}: {self.what}: {self.text}" + (f" (target {self.target})" if self.target else "")


Rows = Iterator[Row]


def write_row(path: Path, row: Row) -> None:
    """Append a row, and print it. The row is in the file when this returns."""
    with path.open("a") as file:
        file.write(json.dumps(dataclasses.asdict(row)) + "\n")
    print(row.line(), flush=True)


def read_rows(paths: Sequence[Path]) -> list[Row]:
    """All complete rows. A line that was cut does not count."""
    rows = []
    for path in paths:
        for line in path.read_text().splitlines():
            try:
                rows.append(Row(**json.loads(line)))
            except json.JSONDecodeError:
                continue
    return rows


def why(error: Exception) -> str:
    """An error in one short line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
