"""Everything that is claimed of a GPU, checked and measured by two commands in under eleven minutes.

Call 1, at most 340 s, checks and measures; call 2, at most 300 s, runs a first slice of the papers' protocol:

    python -m tests.benchmarks.bench_gpu measure --data-root PATH --out OUT
    python -m tests.benchmarks.bench_gpu protocol --data-root PATH --out OUT --execution MODE
    python -m tests.benchmarks.bench_gpu summary OUT/measure.jsonl OUT/protocol.jsonl

PATH has `cifar10_jpeg`. Rows are in `OUT/measure.jsonl` and `OUT/protocol.jsonl` as soon as they are measured, and
the records of call 2 in `OUT/records.parquet`. A summary in Markdown is printed at the end, and at any time by
`summary`. Each part runs in a process of its own with a limit of time, the most important part first. A part that
fails or hangs costs itself alone and leaves a row with the reason. `--device cpu --quick` goes through the same parts
on a processor in seconds, for a test.

Call 1 needs torch, torchvision, numpy, scipy, pandas, pyarrow, scikit-learn, pillow, threadpoolctl, and for the tests
pytest, pytest-xdist and pytest-timeout. Call 2 also needs rich, pydantic (with pydantic-core, annotated-types and
typing-inspection) and tomlkit; machines with torch usually lack the last five: bring their wheels. Ray and Optuna are
not needed, and this package need not be installed.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.gpu import STARTED, checks, evaluation, facts, groups, kernels, protocol
from tests.benchmarks.gpu.rows import STOPPED, Row, Rows, read_rows, why, write_row
from tests.benchmarks.gpu.settings import Settings
from tests.benchmarks.gpu.summary import markdown
from trainables.runtime import AUTO, EXECUTION_CHOICES
from trainables.trial import set_up_torch

_FACTS = (facts.facts, 15)

#: Parts of each call, with their limits in seconds; the most important first. Together they are at most those of
#: `LIMITS`.
CALLS: dict[str, dict[str, tuple[Callable[[Settings], Rows], int]]] = {
    "measure": {
        "facts": _FACTS,
        "tests": (checks.tests, 60),
        "steps": (checks.steps, 60),
        "members": (checks.members, 40),
        "batch 32": (groups.at_32, 60),
        "batch 256": (groups.at_256, 60),
        "evaluation": (evaluation.evaluation, 25),
        "kernels": (kernels.kernels, 20),
    },
    "protocol": {"facts": _FACTS, "protocol": (protocol.protocol, 280)},
}

#: The limits of the calls in seconds.
LIMITS = {"measure": 340, "protocol": 300}

#: Limits are so many times longer with `--quick`: a test may run beside others.
_QUICK_SCALE = 4

#: Seconds before its limit at which a part stops by itself. A turn of a group may take so long.
_MARGIN = 20


def main() -> None:
    """Run the parts of a call one after another; or one part, in this process; or print a summary."""
    parser = _parser()
    options = parser.parse_args()
    if options.call == "summary":
        print(markdown(read_rows(options.rows)), end="")
        return
    if not (options.quick or options.data_root):
        parser.error("--data-root: needed without --quick; it has cifar10_jpeg")
    rows = options.out / f"{options.call}.jsonl"
    if options.part:
        _run_part(options, rows)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    rows.write_text("")
    scale = _QUICK_SCALE if options.quick else 1
    end = STARTED + scale * LIMITS[options.call]
    for part, (_, limit) in CALLS[options.call].items():
        _start_part(part, min(scale * limit, end - time.monotonic()), rows)
    print(f"\n{markdown(read_rows([rows]))}\nrows: {rows}")


def _start_part(part: str, limit: float, rows: Path) -> None:
    """The part in a process of its own. What stops it becomes a row."""
    if limit < 1:
        write_row(rows, Row(part=part, what=STOPPED, value="no time was left"))
        return
    command = [sys.executable, "-m", "tests.benchmarks.bench_gpu", *sys.argv[1:], "--part", part]
    started, stopped = time.monotonic(), ""
    with subprocess.Popen([*command, "--seconds", str(limit)], start_new_session=True) as process:
        try:
            if code := process.wait(limit):
                stopped = f"its process ended with code {code}"
        except subprocess.TimeoutExpired:
            stopped = f"it took more than {limit:.0f} s"
        finally:
            with suppress(ProcessLookupError):  # processes that it started, such as compilers, may still run
                os.killpg(process.pid, signal.SIGKILL)
    if stopped:
        write_row(rows, Row(part=part, what=STOPPED, value=stopped))
    write_row(rows, Row(part=part, what="wall time", value=time.monotonic() - started, unit="s"))


def _run_part(options: argparse.Namespace, rows: Path) -> None:
    settings = Settings(
        device=options.device,
        quick=options.quick,
        data_root=options.data_root,
        out=options.out,
        seconds=max(1.0, options.seconds - _MARGIN),
        epochs=options.epochs,
        execution=options.execution,
    )
    run, _ = CALLS[options.call][options.part]
    try:
        set_up_torch(settings.runtime())
        for row in run(settings):
            write_row(rows, replace(row, part=options.part))
    except Exception as error:  # the other parts go on
        write_row(rows, Row(part=options.part, what=STOPPED, value=why(error)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    calls = parser.add_subparsers(dest="call", required=True)
    for name in CALLS:
        call = calls.add_parser(name)
        call.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
        call.add_argument("--quick", action="store_true", help="tiny sizes, to see that everything runs")
        call.add_argument("--data-root", type=Path, help="has cifar10_jpeg; not needed with --quick")
        call.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", ".")))
        if name == "protocol":
            call.add_argument("--epochs", type=int, default=5, help="of each trial")
            call.add_argument("--execution", default=AUTO, choices=EXECUTION_CHOICES)
        else:  # its parts have their own
            call.set_defaults(epochs=0, execution=AUTO)
        call.add_argument("--part", choices=list(CALLS[name]), help="one part, in this process")
        call.add_argument("--seconds", type=float, default=LIMITS[name], help="the limit of this part")
    calls.add_parser("summary").add_argument("rows", type=Path, nargs="+")
    return parser


if __name__ == "__main__":
    main()
