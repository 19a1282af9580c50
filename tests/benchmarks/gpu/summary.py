"""The rows as Markdown, for the README. What is missing reads "not measured"."""

from collections.abc import Iterator, Sequence

from tests.benchmarks.gpu.checks import NEEDED
from tests.benchmarks.gpu.facts import DEVICE, VERSIONS
from tests.benchmarks.gpu.groups import TARGETS
from tests.benchmarks.gpu.protocol import EPOCHS
from tests.benchmarks.gpu.rows import PASSED, STOPPED, Row
from trainables.runtime import AUTO_ON_CUDA

_NOT_MEASURED = "not measured"

#: Columns and rows of the table of speeds.
_AT_ONCE = (1, 2, 4, 8)
_MODES = ("eager", "fused", "graphed", "compiled_graphed")

#: A card with groups is to finish this many times the trials of one eager trial at a time.
_LEAST_GAIN = 2.5


def markdown(rows: Sequence[Row]) -> str:
    """The summary of the rows of one call or of both, also of a call that was cut."""
    latest = list({(row.part, row.what): row for row in rows}.values())
    calls = {row.part == "protocol" for row in latest if row.part != "facts"}
    lines = [*_measured_on(latest), ""]
    if False in calls:
        speeds = {(row.batch_size, row.execution, row.at_once): row for row in latest if row.at_once}
        lines += [*_speed_table(speeds), "", *_gains(speeds), "", *_checks(latest), ""]
    if True in calls:
        lines += [*_accuracies(latest), ""]
    return "\n".join([*lines, *_others(latest)]) + "\n"


def _measured_on(rows: Sequence[Row]) -> Iterator[str]:
    facts = {row.what: row.value for row in rows if row.what in (DEVICE, VERSIONS)}
    yield f"Measured on {facts.get(DEVICE, 'an unknown device')}; {facts.get(VERSIONS, 'versions unknown')}."
    for row in rows:
        if row.what == STOPPED:
            yield f"Part `{row.part}` is not complete: {row.value}."


def _speed_table(speeds: dict[tuple[int, str, int], Row]) -> Iterator[str]:
    yield "Seconds of a trial and epoch of 50,000 images, by the number of trials that run at once:"
    yield ""
    yield "| batch size | execution | " + " | ".join(map(str, _AT_ONCE)) + " | target |"
    yield "|---|---|" + "---|" * (len(_AT_ONCE) + 1)
    for batch_size, target in TARGETS.items():
        for mode in _MODES:
            cells = [_number(speeds.get((batch_size, mode, count)), ".2f") for count in _AT_ONCE]
            yield f"| {batch_size} | {mode} | {' | '.join(cells)} | {target} |"


def _number(row: Row | None, form: str) -> str:
    if row is None:
        return _NOT_MEASURED
    return format(row.value, form) if isinstance(row.value, float) else row.value.partition(":")[0]


def _gains(speeds: dict[tuple[int, str, int], Row]) -> Iterator[str]:
    for batch_size in TARGETS:
        found = {key[1:]: float(row.value) for key, row in speeds.items() if key[0] == batch_size}
        alone = found.pop(("eager", 1), None)
        name = f"Batch {batch_size}, training alone: trials an hour over those of one eager trial at a time"
        if alone is None or not found:
            yield f"- {name}: {_NOT_MEASURED}."
            continue
        mode, count = min(found, key=lambda case: found[case])
        gain = alone / found[mode, count]
        yield f"- {name}: {gain:.2f} times by {count} at once, {mode} (target >= {_LEAST_GAIN})."


def _checks(rows: Sequence[Row]) -> Iterator[str]:
    """All checks, and what they mean for `AUTO_ON_CUDA`."""
    outcomes = {name: _NOT_MEASURED for names in NEEDED.values() for name in names}
    outcomes |= {row.check: str(row.value) for row in rows if row.check}
    for name, outcome in outcomes.items():
        yield f"- {name}: {outcome}"
    yield ""
    fit = [mode for mode, names in NEEDED.items() if all(outcomes[name] == PASSED for name in names)]
    best = fit[0] if fit else "eager"
    found = f"All checks of `{best}` passed" if fit else "No mode passed all of its checks"
    if best == AUTO_ON_CUDA:
        yield f'{found}. `AUTO_ON_CUDA` in `trainables/runtime.py` is "{best}", as it must be.'
    else:
        yield f'{found}: set `AUTO_ON_CUDA = "{best}"` in `trainables/runtime.py` (now "{AUTO_ON_CUDA}").'
        yield f"Until then, start call 2 with `--execution {best}`."


def _accuracies(rows: Sequence[Row]) -> Iterator[str]:
    found = {(row.loss, row.temperature): row for row in rows if row.loss}
    losses, temperatures = dict.fromkeys(key[0] for key in found), sorted({key[1] for key in found})
    epochs = next((row.value for row in rows if row.what == EPOCHS), "an unknown number of")
    yield f"Test accuracy of `probe_sgd` after {epochs} epochs at batch 256, by temperature, one seed:"
    yield ""
    if not found:
        yield f"{_NOT_MEASURED}."
        return
    yield "| loss | " + " | ".join(f"{each:g}" for each in temperatures) + " |"
    yield "|---|" + "---|" * len(temperatures)
    for loss in losses:
        yield f"| {loss} | {' | '.join(_number(found.get((loss, each)), '.3f') for each in temperatures)} |"


def _others(rows: Sequence[Row]) -> Iterator[str]:
    named = [
        row for row in rows if not (row.at_once or row.check or row.loss or row.what in (DEVICE, VERSIONS))
    ]
    if not named:
        return
    yield "| part | what | value | target |"
    yield "|---|---|---|---|"
    for row in named:
        cells = [each.replace("|", "\\|") for each in (row.part, row.what, row.text, row.target)]
        yield f"| {' | '.join(cells)} |"
