"""`study bench`: measures how fast this machine trains the trials of a study, and the time of each stage."""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from study.cli.options import DATA_ROOT, JSON, TRUST_CODE, guarded
from study.console import CONSOLE, LiteralConsole, say, say_error, say_json
from study.errors import DONE, FAILED, StudyError, named

if TYPE_CHECKING:
    from study.bench.rows import Row
    from study.spec.schema import ResourcesSection
    from trainables.runtime import Runtime


@click.command("bench")
@click.argument("study")
@DATA_ROOT
@TRUST_CODE
@click.option("--loss", metavar="LABEL", help="A loss of the study.  [default: its first]")
@click.option(
    "--batch-size",
    "batch_sizes",
    type=click.IntRange(min=2),
    multiple=True,
    metavar="M",
    help="Pairs per step; may be given more than once.  [default: the study's]",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    help="Steps timed per row.  [default: as many as fill 3 seconds]",
)
@JSON
@guarded
def command(
    study: str,
    data_root: str | None,
    loss: str | None,
    batch_sizes: tuple[int, ...],
    steps: int | None,
    as_json: bool,
) -> int:
    """Measure how fast this machine trains trials of STUDY, and where the time goes. Writes nothing.

    There is one row per batch size, and one more if trials are stacked. A row has images per second, the shares of a
    step's time in data (collecting a batch and making its views), forward, loss, backward and optimiser, the fraction
    of the device's matrix-product peak, which is measured in the same run, and peak memory. Exit code 1 when a row
    could not be measured.
    """
    from study.bench.rows import bench_rows
    from study.launch.capacity import count_workers
    from study.launch.memory import check_memory
    from study.loaded import check_data_root
    from study.spec.expand import expand, stand_ins
    from study.spec.load import load_spec

    root = check_data_root(Path(data_root).expanduser() if data_root else None)
    study_file = load_spec(study)
    spec = study_file.spec
    with named(study_file.origin):
        trial_set = expand(spec, root)
    if not trial_set.trials:  # a search has not chosen any yet
        trial_set = replace(trial_set, trials=tuple(stand_ins(spec, trial_set)))
    count_workers(spec.resources, None)
    check_memory(spec, trial_set)
    runtime = _runtime(spec.resources, root)
    stacked = spec.resources.stacked and runtime.device == "cpu"  # as workers do
    rows = bench_rows(trial_set, loss, batch_sizes, stacked=stacked)
    try:
        facts = _conditions(spec.name, rows[0], runtime)
    except ValueError as error:  # the device does not support the precision
        raise StudyError(str(error)) from error
    with redirect_stdout(sys.stderr):  # messages of the user's code are not results
        facts["rows"] = _measure_rows(rows, runtime, facts["peak_flops_per_second"], steps)
    if as_json:
        say_json(facts)
    else:
        _show(facts)
    return FAILED if any("error" in row for row in facts["rows"]) else DONE


def _runtime(resources: "ResourcesSection", data_root: Path | None) -> "Runtime":
    from trainables.runtime import Runtime, chosen_execution

    device = "cuda" if resources.gpus_per_trial else "cpu"
    return Runtime(
        device=device,
        threads=resources.cpus_per_trial,
        data_root=data_root,
        execution=chosen_execution(resources.execution, device),
    )


def _conditions(study: str, row: "Row", runtime: "Runtime") -> dict[str, Any]:
    """The subject of the measurement, and the machine."""
    import torch

    from study.bench.arithmetic import matmul_peak
    from study.cost.memory import MEMORY_KIND
    from trainables.run_facts import run_facts
    from trainables.views.recipes import recipe_text

    torch.set_num_threads(runtime.threads)  # as workers do
    if runtime.device == "cuda":
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False  # as trials do
    task, machine = row[0].task, run_facts(runtime)
    device = torch.device(runtime.device)
    return {
        "study": study,
        "data": task.data.name,
        "encoder": task.encoder.name,
        "views": recipe_text(task.views),
        "views_form": task.views_form,
        "loss": row[0].loss.name,
        "precision": task.training.precision,
        "execution": runtime.execution,
        **{name: machine[name] for name in ("device", "device_name", "threads", "torch_version")},
        "peak_flops_per_second": matmul_peak(task.training.precision, device),
        "memory": MEMORY_KIND[device.type],
    }


def _measure_rows(
    rows: Sequence["Row"], runtime: "Runtime", peak: float, steps: int | None
) -> list[dict[str, Any]]:
    from study.bench.measurement import measure
    from trainables.datasets.datasets import load_dataset

    data = load_dataset(rows[0][0].task.data, runtime.data_root)
    terminal, measured = LiteralConsole(stderr=True), list[dict[str, Any]]()
    for row in rows:
        found: dict[str, Any] = {"batch_size": row[0].task.training.batch_size, "trials": len(row)}
        title = "batch size {batch_size}, trials {trials}".format(**found)
        if terminal.is_terminal:
            terminal.print(f"measuring {title}")  # no spinner, because it would slow down small steps
        try:
            found |= asdict(measure(row, data, runtime, peak=peak, steps=steps))
        except Exception as error:  # out of memory, or an error in a user's loss: the other rows still count
            found["error"] = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            say_error(f"{title}: {found['error']}")
        measured.append(found)
    return measured


def _show(facts: dict[str, Any]) -> None:
    from study.bench.stages import STAGES

    title = "Bench of {study}: {data}, {encoder}, {views_form} views {views}, loss {loss}, {precision}"
    say(title.format(**facts))
    table = Table(
        "batch size", "trials", "images/s", *STAGES, "of peak", "memory", box=None, padding=(0, 1, 0, 0)
    )
    for column in table.columns:
        column.justify = "right"
    for row in facts["rows"]:
        table.add_row(str(row["batch_size"]), str(row["trials"]), *_cells(row))
    CONSOLE.print(table)
    machine = "{device_name} ({device}, threads {threads}, {execution}, torch {torch_version})".format(
        **facts
    )
    say(
        f"Measured on {machine}. Images are counted once, each in two views; stages are shares of the step's "
        f"time; peak: matrix products, {facts['peak_flops_per_second'] / 1e9:,.0f} GFLOP/s; "
        f"peak memory: {facts['memory']}.",
    )


def _cells(row: dict[str, Any]) -> list[str]:
    if "error" in row:
        return ["not measured"]
    memory = row["peak_memory_bytes"]
    return [
        f"{row['images_per_second']:,.0f}",
        *(f"{share:.0%}" for share in row["shares"].values()),
        f"{row['share_of_peak']:.1%}",
        "not measured" if memory is None else f"{memory / 1e6:,.0f} MB",
    ]
