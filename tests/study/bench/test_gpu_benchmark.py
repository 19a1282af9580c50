"""The benchmark of a GPU goes through on a machine without one, and a part that fails or hangs costs itself alone."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.benchmarks import bench_gpu
from tests.benchmarks.bare_environment import make_bare_environment
from tests.benchmarks.gpu.checks import NEEDED, TESTS
from tests.benchmarks.gpu.rows import NO_GPU, PASSED, STOPPED, Row, read_rows, write_row
from tests.benchmarks.gpu.settings import Settings
from tests.benchmarks.gpu.summary import markdown

_REPOSITORY = Path(__file__).resolve().parents[3]

QUICK = ("--device", "cpu", "--quick")


@pytest.mark.slow
def test_both_calls_go_through_without_ray_optuna_and_the_package(tmp_path: Path) -> None:
    python = make_bare_environment(tmp_path / "environment")
    told = ""
    for call in bench_gpu.CALLS:
        words = [python, "-m", "tests.benchmarks.bench_gpu", call, *QUICK, "--out", tmp_path]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "STUDY_CACHE_ROOT": str(tmp_path)}
        done = subprocess.run(
            words, cwd=_REPOSITORY, env=environment, capture_output=True, text=True, timeout=280, check=True
        )
        assert done.stderr == ""
        told += done.stdout
    for call, parts in bench_gpu.CALLS.items():
        rows = read_rows([tmp_path / f"{call}.jsonl"])
        assert {row.part for row in rows} == set(parts)
        bad = [row for row in rows if row.what == STOPPED or str(row.value).startswith("failed")]
        assert bad == [], told
    measured = read_rows([tmp_path / "measure.jsonl"])
    assert {row.part for row in measured if row.value == NO_GPU} == {"tests", "kernels"}
    assert [row.value for row in measured if row.check and row.check != TESTS] == [PASSED, PASSED]
    assert next(row.value for row in measured if row.what == "tests collected") >= 30  # type: ignore[operator]
    records = pq.read_table(tmp_path / "records.parquet")
    assert records["status"].to_pylist() == ["ok"] * 5
    assert sorted(records["loss"].to_pylist()) == ["dcl", "dhel", "flatnce", "infonce", "ntxent"]
    assert "| 32 | compiled_graphed | not measured |" in told


def test_the_limits_of_the_parts_fit_into_the_call() -> None:
    totals = {call: sum(limit for _, limit in parts.values()) for call, parts in bench_gpu.CALLS.items()}
    assert all(totals[call] <= limit for call, limit in bench_gpu.LIMITS.items())


def test_a_part_that_hangs_is_stopped_at_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["bench_gpu", "measure", *QUICK, "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", words)
    bench_gpu._start_part("evaluation", 1.0, tmp_path / "measure.jsonl")
    stopped, seconds = read_rows([tmp_path / "measure.jsonl"])
    assert (stopped.part, stopped.what, stopped.value) == ("evaluation", STOPPED, "it took more than 1 s")
    assert seconds.what == "wall time"
    bench_gpu._start_part("kernels", 0.5, tmp_path / "measure.jsonl")
    assert read_rows([tmp_path / "measure.jsonl"])[-1].value == "no time was left"


def test_a_part_that_fails_keeps_its_rows_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(settings: Settings) -> Iterator[Row]:
        yield Row(what="first", value=1.0)
        raise RuntimeError("CUDA error:\nan illegal memory access")

    monkeypatch.setitem(bench_gpu.CALLS["measure"], "kernels", (fails, 1))
    words = ["measure", *QUICK, "--out", str(tmp_path), "--part", "kernels"]
    bench_gpu._run_part(bench_gpu._parser().parse_args(words), tmp_path / "rows.jsonl")
    first, stopped = read_rows([tmp_path / "rows.jsonl"])
    assert (first.part, first.what) == ("kernels", "first")
    assert stopped.value == "RuntimeError: CUDA error: an illegal memory access"


def checked(*, failing: str = "", absent: str = "") -> list[Row]:
    """Rows of all checks."""
    names = dict.fromkeys(name for names in NEEDED.values() for name in names)
    return [
        Row(part="steps", what=name, value="failed: 0.3" if name == failing else PASSED, check=name)
        for name in names
        if name != absent
    ]


COMPILED, GRAPHED = (NEEDED[mode][-1] for mode in ("compiled_graphed", "graphed"))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (checked(), 'set `AUTO_ON_CUDA = "compiled_graphed"`'),
        (checked(failing=COMPILED), 'set `AUTO_ON_CUDA = "graphed"`'),
        (checked(absent=COMPILED), 'set `AUTO_ON_CUDA = "graphed"`'),
        (checked(failing=GRAPHED), 'set `AUTO_ON_CUDA = "compiled_graphed"`'),
        (checked(failing=TESTS), "No mode passed all of its checks"),
    ],
)
def test_the_checks_decide_what_auto_may_be(
    rows: Sequence[Row], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.benchmarks.gpu.summary.AUTO_ON_CUDA", "eager")
    assert expected in markdown(rows)
    monkeypatch.setattr("tests.benchmarks.gpu.summary.AUTO_ON_CUDA", "compiled_graphed")
    if expected.startswith("No"):
        assert 'set `AUTO_ON_CUDA = "eager"`' in markdown(rows)


def test_the_summary_of_a_call_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "measure.jsonl"
    write_row(path, Row(part="facts", what="device", value="NVIDIA H200, 140 GiB"))
    for execution, count, seconds in (("eager", 1, 8.0), ("graphed", 1, 4.0), ("graphed", 4, 1.6)):
        what = f"{execution} {count}"
        case = {"batch_size": 32, "execution": execution, "at_once": count}
        write_row(path, Row(part="batch 32", what=what, value=seconds, unit="s", **case))  # type: ignore[arg-type]
    with path.open("a") as file:
        file.write('{"what": "a row that was c')
    text = markdown(read_rows([path]))
    assert "Measured on NVIDIA H200, 140 GiB; versions unknown." in text
    assert "| 32 | graphed | 4.00 | not measured | 1.60 | not measured | 1.7 |" in text
    assert "eager trial at a time: 5.00 times by 4 at once, graphed (target >= 2.5)" in text
    assert (
        "Batch 256, training alone: trials an hour over those of one eager trial at a time: not measured."
        in text
    )
    assert f"- {TESTS}: not measured" in text


def test_the_accuracies_of_the_protocol_by_loss_and_temperature() -> None:
    rows = [
        Row(part="protocol", what=f"{loss} {t}", value=value, loss=loss, temperature=t)
        for loss, t, value in (("infonce", 0.1, 0.61), ("dcl", 0.1, "oom: no memory"), ("infonce", 0.5, 0.7))
    ]
    text = markdown(rows)
    assert (
        "| loss | 0.1 | 0.5 |\n|---|---|---|\n| infonce | 0.610 | 0.700 |\n| dcl | oom | not measured |"
        in text
    )
    assert "AUTO_ON_CUDA" not in text


def test_data_are_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["bench_gpu", "measure"])
    with pytest.raises(SystemExit) as end:
        bench_gpu.main()
    assert end.value.code == 2
    assert "--data-root: needed without --quick" in capsys.readouterr().err
