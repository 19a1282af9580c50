"""A listener that shows the progress of a launch: a live panel in a terminal, plain lines elsewhere."""

import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from analysis.names import visible
from study.console import format_seconds, literal
from study.events import Expected, Finished, Listener
from study.spec.expand import PlannedTrial
from trainables.work import WorkUnit

_PLAIN_EVERY_SECONDS = 15.0
_SHOWN_RUNNING = 8

#: The fraction of a launch's work after which its measured times have the same weight as the expected times.
_TRUST = 0.1


class Progress(Listener):
    """Shows the counts, the running trials, the time left, and the best trial of this launch for each arm.

    "Best" means the highest validation metric; test scores are not shown while a study runs. The estimate of the time
    left starts from `pace`, the expected seconds of a worker per unit of cost (None if unknown). As trials of this
    launch finish, their measured seconds get more and more weight.
    """

    def __init__(self, console: Console, metric: str, *, workers: int = 1, pace: float | None = None) -> None:
        self._console, self._metric = console, f"val_{metric}"
        self._workers, self._expected_pace = workers, pace
        self._trials: dict[str, PlannedTrial] = {}
        self._cost: dict[str, float] = {}
        self._unknown = 0
        self._statuses: Counter[str] = Counter()
        self._running: dict[str, str] = {}
        self._best: dict[str, tuple[float, str]] = {}
        self._done_cost, self._own_cost, self._others_cost, self._own_seconds = 0.0, 0.0, 0.0, 0.0
        self._first_start, self._last_line, self._over = 0.0, 0.0, False
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
        """Count further trials, and the trials that no search has decided yet."""
        # New dictionaries, since rich draws the panel in another thread.
        self._trials = self._trials | {trial.keys.trial_id: trial for trial in event.trials}
        self._cost = {**self._cost, **event.costs}
        self._unknown = event.undecided

    def started(self, unit: WorkUnit) -> None:
        """Count `unit` as running."""
        self._first_start = self._first_start or time.monotonic()
        self._running[unit.trial_id] = unit.title
        self.tick()

    def finished(self, event: Finished) -> None:
        """Count a trial that has its record, with its cost, its seconds and its metric."""
        self._running.pop(event.trial_id, None)
        trial = self._trials.get(event.trial_id)
        if trial is None:
            return
        self._statuses[event.status] += 1
        cost = self._cost[event.trial_id]
        self._done_cost += cost
        if event.found:
            self._others_cost += cost
        elif event.seconds is not None:  # a trial whose worker died has no seconds
            self._own_cost += cost
            self._own_seconds += event.seconds
        value = event.values.get(self._metric)
        if value is not None and value > self._best.get(trial.arm, (-1.0, ""))[0]:
            self._best[trial.arm] = (value, trial.title)

    def tick(self) -> None:
        """Outside a terminal, print a line if the last one is older than `_PLAIN_EVERY_SECONDS`."""
        if not self._console.is_terminal and time.monotonic() - self._last_line > _PLAIN_EVERY_SECONDS:
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
        early = f"{stopped} stopped early, " if stopped else ""
        return (
            f"{self._done} of {self._total} trials done, {early}"
            f"{failed} failed{f' ({kinds})' if kinds else ''}, {len(self._running)} running"
        )

    def _time_left(self) -> str:
        # Undecided trials are assumed to cost as much as the known trials on average.
        total = sum(self._cost.values()) * self._total / max(1, len(self._trials))
        pace = self._pace(total)
        if pace is None:
            return "time left: known after the first trial"
        work = pace * (total - self._done_cost)
        left = (work - self._begun(pace)) / (self._workers * self._help())
        return f"time left: about {format_seconds(max(0.0, left))}"

    def _pace(self, total: float) -> float | None:
        """Seconds of a worker per unit of cost; None if unknown.

        The expected pace has the weight of `_TRUST * total` units of finished work.
        """
        if self._expected_pace is None:
            return self._own_seconds / self._own_cost if self._own_cost else None
        known = _TRUST * total
        return (self._own_seconds + self._expected_pace * known) / (self._own_cost + known) if total else None

    def _begun(self, pace: float) -> float:
        """Worker seconds already spent on unfinished trials. They matter since all trials of a stack end together."""
        if not self._first_start:
            return 0.0
        spent = self._workers * (time.monotonic() - self._first_start) - self._own_seconds
        running = pace * sum(self._cost.get(trial_id, 0.0) for trial_id in list(self._running))
        return max(0.0, min(spent, running))

    def _help(self) -> float:
        """The speed-up factor that results from other launches running trials of the same study."""
        return 1 + self._others_cost / self._own_cost if self._own_cost else 1.0

    def _plain_line(self) -> None:
        self._last_line = time.monotonic()
        best = ", ".join(f"{arm} {100 * value:.1f}" for arm, (value, _) in self._best.items())
        now = "; ".join(list(self._running.values())[:2])
        parts = [self._counts()]
        if self._done < self._total and not self._over:
            parts += [self._time_left(), *([f"now: {now}"] if now else [])]
        if best:
            parts.append(f"best of this launch, {self._metric}, %: {best}")
        self._console.print(visible("; ".join(parts)), soft_wrap=True)

    def _panel(self) -> Group:
        bar = Table.grid()  # a progress bar outside a table ends without a line break
        bar.add_row(ProgressBar(total=max(1, self._total), completed=self._done, width=48))
        left = "" if self._over else f"; {self._time_left()}"
        head = literal(f"{self._counts()}{left}")
        running = list(self._running.values())  # a copy: rich draws in another thread
        now = literal("\n".join(f"  running  {title}" for title in running[:_SHOWN_RUNNING]), "dim")
        if len(running) > _SHOWN_RUNNING:
            now.append(f"\n  and {len(running) - _SHOWN_RUNNING} more")
        return Group(head, bar, now, *([self._best_table()] if self._best else []))

    def _best_table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        table.add_column("loss")
        table.add_column(f"best of this launch, {self._metric}, %", justify="right")
        table.add_column("with")
        for arm, (value, title) in list(self._best.items()):
            table.add_row(arm, f"{100 * value:.1f}", title.removeprefix(f"{arm} "))
        return table
