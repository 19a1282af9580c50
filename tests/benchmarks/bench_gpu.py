"""Everything that is claimed of a GPU, checked and measured by one command in under nine minutes.

`python -m tests.benchmarks.bench_gpu --out DIRECTORY` writes `DIRECTORY/gpu.csv` (without `--out`: `$OUT`, else
the working directory) and prints its rows. `--device cpu --quick` goes through the same parts on a processor in
seconds, for a test; what needs CUDA then says "not measured: no GPU". `--data-root` trains on the pixels of
`cifar10_jpeg` below it instead of random ones, which take the same time.

Each part runs in a process of its own with a limit of time, so that one that fails or hangs costs itself alone; its
rows are written as they are measured.

Of Python packages the measuring needs torch, torchvision, numpy, scipy, pandas, pyarrow, scikit-learn, pillow,
threadpoolctl and pydantic, the checks pytest. Machines with torch usually lack pydantic alone: carry the wheels of
pydantic, pydantic-core, annotated-types and typing-inspection. Ray and Optuna are not needed.
"""

import argparse
import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from tests.benchmarks.gpu import checks, epochs, kernels, parts
from trainables.training.precision import matmul_precision

#: Parts by name, with their limits in seconds; together below nine minutes.
PARTS: dict[str, tuple[Callable[[parts.Settings], parts.Rows], int]] = {
    "peak": (epochs.peak, 30),
    "checks": (checks.checks, 80),
    "epochs": (epochs.uncompiled, 110),
    "epochs_compiled": (epochs.compiled, 120),
    "stages": (epochs.stages, 40),
    "kernels": (kernels.of_the_step, 30),
    "losses": (kernels.losses, 40),
    "views": (kernels.views, 30),
    "stacked": (epochs.stacked, 50),
}

_TOTAL_SECONDS = 530

_COLUMNS = ("part", "what", "value", "unit", "target")


def main() -> None:
    """Run the parts one after another, or, with `--part`, one of them here."""
    options = _parser().parse_args()
    out = options.out / "gpu.csv"
    settings = parts.Settings(device=options.device, quick=options.quick, data_root=options.data_root)
    if options.part:
        _run_part(options.part, settings, out)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    with out.open("w", newline="") as file:
        csv.writer(file).writerow(_COLUMNS)
    deadline = time.monotonic() + _TOTAL_SECONDS
    for name, (_, limit) in PARTS.items():
        _start_part(name, min(limit, deadline - time.monotonic()), out)
    print(f"rows: {out}")


def _start_part(name: str, limit: float, out: Path) -> None:
    """The part in a process of its own; what stops it becomes a row."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_gpu", *sys.argv[1:], "--part", name]
    started = time.monotonic()
    try:
        code = subprocess.run(command, timeout=max(1.0, limit), check=False).returncode
        stopped = f"the process ended with code {code}" if code else None
    except subprocess.TimeoutExpired:
        stopped = f"stopped after {limit:.0f} s"
    if stopped:
        _write(out, name, parts.Row(what="error", value=stopped))
    _write(out, name, parts.Row(what="wall time", value=time.monotonic() - started, unit="s"))


def _run_part(name: str, settings: parts.Settings, out: Path) -> None:
    torch.set_num_threads(1)
    run, _ = PARTS[name]
    try:
        with matmul_precision(
            "float32", settings.torch_device
        ):  # no TF32 where none is asked for, as in trials
            for row in run(settings):
                _write(out, name, row)
    except Exception as error:  # the other parts go on
        _write(out, name, parts.Row(what="error", value=f"{type(error).__name__}: {error}"))


def _write(out: Path, part: str, row: parts.Row) -> None:
    value = f"{row.value:.5g}" if isinstance(row.value, float) else str(row.value)
    with out.open("a", newline="") as file:
        csv.writer(file).writerow((part, row.what, value, row.unit, row.target))
    target = f" (target {row.target})" if row.target else ""
    print(f"{part}: {row.what}: {value} {row.unit}{target}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that everything runs")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", ".")))
    parser.add_argument("--part", choices=list(PARTS), help="one part, in this process")
    return parser


if __name__ == "__main__":
    main()
