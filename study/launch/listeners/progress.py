"""A listener that shows the progress of a launch: a live panel in a terminal, plain lines elsewhere."""

import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from analysis.names import visible
from study.console import format_seconds, literal
from study.events import Expected, Finished, Listener
from study.launch.listeners.time_left import TimeLeft, time_left_text
from study.spec.expand import PlannedTrial
from trainables.work import WorkUnit

_PLAIN_EVERY_SECONDS = 15.0
_SHOWN_RUNNING = 8

#: A start of the workers within so many seconds is not mentioned.
_STARTS_AT_ONCE = 2.0


class Progress(Listener):
    """Shows the counts, the running trials, the time left, and in a terminal the best validation score of each loss.

    Test scores are not shown while a study runs. `time_left` receives the events before this listener.
    """

    def __init__(self, console: Console, metric: str, time_left: TimeLeft) -> None:
        self._console, self._metric, self._time_left = console, f"val_{metric}", time_left
        self._trials: dict[str, PlannedTrial] = {}
        self._unknown = 0
        self._statuses: Counter[str] = Counter()
        self._running: dict[str, str] = {}
        self._done_by_arm: Counter[str] = Counter()
        self._best: dict[str, float] = {}
        self._began, self._last_line, self._over, self._has_workers = time.monotonic(), 0.0, False, False
        self._live = Live(console=console, refresh_per_second=4, get_renderable=self._panel)

    def __enter__(self) -> Self:
        self._last_line = time.monotonic()
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._running.clear()
        if self._console.is_terminal:
            self._live.stop()
        else:
            self._plain_line()

    def expected(self, event: Expected) -> None:
        """Add trials to the count, and the number of trials that a search may still add."""
        # New dictionaries, since rich draws the panel in another thread.
        self._trials = self._trials | {trial.keys.trial_id: trial for trial in event.trials}
        self._unknown = event.undecided

    def started(self, unit: WorkUnit) -> None:
        """Count `unit` as running. The first one shows that the workers run."""
        self._running[unit.trial_id] = unit.title
        if not self._has_workers:
            self._has_workers, self._last_line = True, time.monotonic()
            if (seconds := time.monotonic() - self._began) > _STARTS_AT_ONCE:
                self._console.print(
                    f"workers started in {format_seconds(seconds)}; the first trials train ..."
                )
        self.tick()

    def finished(self, event: Finished) -> None:
        """Count a trial that has its record, with its metric. The first one prints a line at once."""
        self._running.pop(event.trial_id, None)
        trial = self._trials.get(event.trial_id)
        if trial is None:
            return
        is_first = not self._done
        self._statuses[event.status] += 1
        self._done_by_arm[trial.arm] += 1
        value = event.values.get(self._metric)
        if value is not None:
            self._best[trial.arm] = max(value, self._best.get(trial.arm, value))
        if is_first and not event.found and not self._console.is_terminal:
            self._plain_line()

    def tick(self) -> None:
        """Outside a terminal, print a line if the last one is older than `_PLAIN_EVERY_SECONDS`."""
        if (
            (self._has_workers or self._done)
            and not self._console.is_terminal
            and time.monotonic() - self._last_line > _PLAIN_EVERY_SECONDS
        ):
            self._plain_line()

    @property
    def _total(self) -> int:
        return len(self._trials) + self._unknown

    @property
    def _done(self) -> int:
        return self._statuses.total()

    def _counts(self) -> str:
        stopped = self._statuses["pruned"]
        failed = self._done - self._statuses["ok"] - stopped
        kinds = ", ".join(
            f"{count} {status}"
            for status, count in list(self._statuses.items())
            if status not in ("ok", "pruned")
        )
        parts = [
            f"{self._done} of {self._total} trials done",
            *([f"{stopped} stopped early"] if stopped else []),
            *([f"{failed} failed ({kinds})"] if failed else []),
            *([f"{len(self._running)} running"] if self._running else []),
        ]
        return ", ".join(parts)

    def _left(self) -> str:
        """The time left in words, with a separator; "" at the end and before anything is known."""
        seconds = None if self._over or self._done == self._total else self._time_left.seconds()
        return "" if seconds is None else f"; time left: {time_left_text(seconds)}"

    def _plain_line(self) -> None:
        self._last_line = time.monotonic()
        self._console.print(visible(f"{self._counts()}{self._left()}"), soft_wrap=True)

    def _panel(self) -> Group:
        bar = Table.grid()  # a progress bar outside a table ends without a line break
        bar.add_row(ProgressBar(total=max(1, self._total), completed=self._done, width=48))
        head = literal(f"{self._counts()}{self._left()}")
        running = list(self._running.values())  # a copy: rich draws in another thread
        now = literal("\n".join(f"  running  {title}" for title in running[:_SHOWN_RUNNING]), "dim")
        if len(running) > _SHOWN_RUNNING:
            now.append(f"\n  and {len(running) - _SHOWN_RUNNING} more")
        parts: list[Table | Text] = [self._losses()] if self._done else []
        if parts and not self._over:
            parts.append(literal("Losses compare only when all trials are done.", "dim"))
        return Group(head, bar, now, *parts)

    def _losses(self) -> Table:
        """The trials of each loss that are done, and its best one. Losses are at different places until the end."""
        planned = Counter(trial.arm for trial in self._trials.values())
        table = Table(box=None, pad_edge=False)
        table.add_column("loss")
        for name in ("done", "best on validation, %"):
            table.add_column(name, justify="right")
        for arm, count in planned.items():
            best = self._best.get(arm)
            table.add_row(
                arm, f"{self._done_by_arm[arm]} of {count}", "" if best is None else f"{100 * best:.1f}"
            )
        return table
