"""A fault of the machine at any operation of any command ends in one line, and damages nothing."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from study.cli.main import SUMMARIES
from study.errors import StudyError
from tests.faults_injected import KINDS, Outcome, digests, sweep
from tests.study.cli.every_command import USES, prepare, whole_store
from trainables.atomic import TEMPORARY
from trainables.store.records import RecordStore

#: Operations whose failure may prevent the removal of a temporary file. `study gc` finds these files.
_REMOVAL = {"unlink", "rmdir", "stat", "lstat", "listdir", "scandir"}

#: Uses that train or that write the time, so that two runs write different files.
_VARYING = {"run", "run, rest", "retry", "trial", "cancel", "bundle"}

#: Uses that take less than a second.
_QUICK = (
    "plan",
    "status",
    "failures",
    "show",
    "cancel",
    "import",
    "merge",
    "gc",
    "init",
    "extend",
    "extend --out",
)

#: Uses that refuse to run again once their file is there.
_ONCE = {"init", "extend --out", "extend", "demo", "bundle", "trial", "retry", "cancel", "watch"}


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which all trials have records."""
    folder = tmp_path_factory.mktemp("every")
    whole_store(folder)
    return folder / "ready"


@contextmanager
def _in(folder: Path) -> Iterator[None]:
    """Work in `folder`, with the folder of temporary files in it."""
    before, temporary = os.getcwd(), tempfile.tempdir
    (folder / "tmp").mkdir()
    os.chdir(folder)
    tempfile.tempdir = str(folder / "tmp")
    try:
        yield
    finally:
        os.chdir(before)
        tempfile.tempdir = temporary


def faults(
    name: str,
    ready: Path,
    tmp_path: Path,
    wanted: Callable[[int, str], bool],
    again: Callable[[int], bool] = lambda number: False,
) -> list[Outcome]:
    """The outcomes of a use under the wanted faults, with a complaint for each rule that one breaks."""
    folder = tmp_path / "folder"
    words = prepare(name, folder, ready)

    def check(kind: str, operation: str) -> str:
        complaints = [
            f"damaged: {store}"
            for store in ("s", "loose")
            if (folder / store).exists() and RecordStore(folder / store).read().damaged
        ]
        if kind != "read-only" and operation not in _REMOVAL and name != "gc":
            complaints += [f"left: {path}" for path in folder.rglob(f"{TEMPORARY}*")]
        return "; ".join(complaints)

    with _in(folder):
        before = digests(folder)
        _, outcomes = sweep(
            words, folder, tmp_path / "scratch", wanted=wanted, check=check, again=again, ends=USES[name].code
        )
        after = digests(folder)
    for outcome in outcomes if name not in _VARYING else ():
        for path, digest in outcome.files.items():
            if digest not in (before.get(path), after.get(path)) and TEMPORARY not in path:
                object.__setattr__(outcome, "complaint", f"{outcome.complaint} half written: {path}")
    return outcomes


def is_told(outcome: Outcome) -> bool:
    """Whether the command ended well, or with one line that says what failed and what to do."""
    if outcome.code is None or outcome.has_traceback or outcome.complaint:
        return False
    told = [line for line in outcome.lines if line.startswith("study: ")]
    if outcome.code == 0:
        return True
    return outcome.code in (1, 2) and bool(told) and told[-1] == outcome.lines[-1] and len(told[-1]) > 30


def test_every_command_has_a_use() -> None:
    assert {use.words[0] for use in USES.values()} == set(SUMMARIES)


@pytest.mark.parametrize("name", _QUICK)
def test_a_fault_is_one_line(name: str, ready: Path, tmp_path: Path) -> None:
    """A few operations, each with another kind of fault. The slow test below has all of them."""
    kinds, step = list(KINDS), 42 if name in ("merge", "gc", "extend") else 21
    outcomes = faults(
        name, ready, tmp_path, lambda number, kind: (number + 2 * kinds.index(kind)) % step == 0
    )
    assert outcomes
    assert not [str(outcome) for outcome in outcomes if not is_told(outcome)]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", [name for name in USES if name not in ("list", "data")])
def test_every_fault_is_one_line(name: str, ready: Path, tmp_path: Path) -> None:
    """Commands with many operations have every kind of fault at some of them; STUDY_ALL_FAULTS gives all."""
    step = 1 if name in _QUICK or "STUDY_ALL_FAULTS" in os.environ else 41
    kinds = list(KINDS)
    with _interrupted_soon(name):
        outcomes = faults(
            name,
            ready,
            tmp_path,
            lambda number, kind: (number + kinds.index(kind)) % step == 0,
            lambda number: name not in _ONCE and number % 50 == 0,
        )
    assert not [str(outcome) for outcome in outcomes if not is_told(outcome)]


_INTERRUPTED = [False]
os.register_at_fork(after_in_child=lambda: _INTERRUPTED[0] and signal.setitimer(signal.ITIMER_REAL, 5))


@contextmanager
def _interrupted_soon(name: str) -> Iterator[None]:
    """Press Ctrl-C in the process and in its forks, for `study watch`, which does not end by itself."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if name != "watch":
        yield
        return
    before, left = signal.signal(signal.SIGALRM, interrupt), signal.setitimer(signal.ITIMER_REAL, 60)
    _INTERRUPTED[0] = True
    try:
        yield
    finally:
        # other tests of this process have longer commands, and the time limit of pytest
        _INTERRUPTED[0] = False
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *left)


@pytest.mark.parametrize("planted", ["no guard", "not atomic"])
def test_the_injection_finds_what_is_not_guarded(
    planted: str, ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plain(path: Path, content: bytes) -> bool:
        with path.open("xb") as file:
            file.write(content)
        return True

    if planted == "no guard":
        monkeypatch.setattr("study.cli.main.ending", lambda **_: nullcontext())
        monkeypatch.setattr("study.cli.options.ending", lambda **_: nullcontext())
    else:
        monkeypatch.setattr("study.cli.init.create_file", plain)
    outcomes = faults("init", ready, tmp_path, lambda number, kind: kind in ("disk full", "memory"))
    bad = [outcome for outcome in outcomes if not is_told(outcome)]
    assert bad
    if planted == "no guard":
        assert {outcome.exception.partition(":")[0] for outcome in bad} == {"MemoryError", "StudyError"}
    else:
        assert {outcome.complaint for outcome in bad} == {" half written: new.toml"}


def study(words: str) -> subprocess.CompletedProcess[str]:
    """A line of the shell in which `study` is the command."""
    line = f'study() {{ "{sys.executable}" -c "from study.cli.main import main; main()" "$@"; }}; {words}'
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "code", "errors"),
    [
        (
            "study list > /dev/full",
            1,
            "study: standard output: cannot be used (No space left on device); free space on its disk\n",
        ),
        ("set -o pipefail; study list | true", 1, ""),
        ("study list studies >&-", 0, ""),
        ("study status no.toml 2> /dev/full", 2, ""),
    ],
)
def test_an_output_that_fails(words: str, code: int, errors: str) -> None:
    result = study(words)
    assert (result.returncode, result.stderr) == (code, errors)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            OSError(28, "x"),
            1,
            ["study: a file cannot be used (No space left on device); free space on its disk"],
        ),
        (
            MemoryError(),
            1,
            ["study: cannot continue (Cannot allocate memory); free memory, or use fewer workers"],
        ),
        (
            RecursionError("deep"),
            2,
            ["study: the input is nested too deep, or has too long a chain of references"],
        ),
        (
            ImportError("x.so: cannot open shared object file: Too many open files"),
            1,
            ["study: cannot continue (Too many open files); raise the limit of open files (`ulimit -n`)"],
        ),
        (
            RuntimeError("can't start new thread"),
            1,
            ["study: cannot continue (Resource temporarily unavailable); raise the limit of processes"],
        ),
        (
            KeyError("of the program"),
            1,
            [
                "Traceback (most recent call last):",
                "KeyError: 'of the program'",
                "study: this is a fault of the",
            ],
        ),
    ],
)
def test_the_end_of_a_command(
    error: Exception, code: int, said: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from study.cli.ending import ending

    with pytest.raises(SystemExit) as caught, ending(has_store=False):
        raise error
    assert caught.value.code == code
    lines = capsys.readouterr().err.splitlines()
    shown = lines if len(said) == 1 else [lines[0], lines[-2], lines[-1]]
    assert len(shown) == len(said)
    for line, start in zip(shown, said, strict=True):
        assert line.startswith(start)


def test_the_end_of_a_command_is_neutral(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters of an error become codes, in the line and in a traceback."""
    from study.cli.ending import ending

    for error, said in (
        (StudyError("got \x1b[31mred"), "study: got \\x1b[31mred\n"),
        (RuntimeError("\x1b[31mred\nmore"), "RuntimeError: \\x1b[31mred\nmore\nstudy: this is a fault"),
    ):
        with pytest.raises(SystemExit), ending(has_store=False):
            raise error
        shown = capsys.readouterr().err
        assert said in shown
        assert "\x1b" not in shown


def test_the_end_of_a_command_needs_no_further_module() -> None:
    """A command ends with its line where no descriptor is left to import `rich`."""
    code = (
        "import os, resource\nfrom study.cli.ending import ending\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "with ending(has_store=False):\n    os.open('here', os.O_RDONLY)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == (
        "study: here: cannot be used (Too many open files); raise the limit of open files (`ulimit -n`)\n"
    )
    assert done.returncode == 1
