"""Imports and trial calls of own code leave torch's settings, random states and standard output as they are."""

import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from trainables.own_code import import_object, use_own_folders
from trainables.own_runs import loaded_unseen, own_code_runs

Write = Callable[[dict[str, str]], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes modules by their file names into a folder of the user. Afterwards they are not loaded."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write_files(files: dict[str, str]) -> None:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        use_own_folders()

    yield write_files
    use_own_folders()
    for name in set(sys.modules) - before:
        if name.startswith("runs_"):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("torch.set_default_dtype(torch.float64)", "default dtype from torch.float32 to torch.float64"),
        ("torch.set_default_device('meta')", "default device from cpu to meta"),
        ("torch.use_deterministic_algorithms(True)", "deterministic debug mode from 0 to 2"),
        ("torch.set_grad_enabled(False)", "gradients from True to False"),
    ],
)
def test_a_module_that_changes_a_setting_is_refused_and_undone(line: str, change: str, write: Write) -> None:
    """Each time, though it is another module that it imports."""
    write({"runs_mine.py": "import runs_inner\nx = 1\n", "runs_inner.py": f"import torch\n{line}\n"})
    for _ in range(2):
        with pytest.raises(
            ValueError, match=r"^loss: got 'runs_mine:x', but the module 'runs_mine'"
        ) as caught:
            import_object("runs_mine:x", "loss")
        assert f"changes torch's {change}, which holds for all other code" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert torch.ones(()).dtype == torch.float32
        assert torch.ones(()).device.type == "cpu"
        assert not torch.are_deterministic_algorithms_enabled()
        assert torch.is_grad_enabled()


def test_random_states_are_kept_and_prints_go_to_standard_error(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "import random, numpy, torch\nprint('hello')\nrandom.seed(1), numpy.random.seed(1), torch.manual_seed(1)"
    write({"runs_mine.py": f"{lines}\nx = 1\n"})
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # type: ignore[index, union-attr]  # noqa: NPY002
    assert import_object("runs_mine:x", "loss") == 1
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # type: ignore[index, union-attr]  # noqa: NPY002
    assert after == states
    assert capsys.readouterr() == ("", "hello\n")


def test_any_exception_but_an_interrupt_is_one_line(write: Write) -> None:
    write({
        "runs_mine.py": "class E(BaseException): ...\nraise E('no\\nway')\n",
        "runs_interrupted.py": "raise KeyboardInterrupt\n",
    })  # fmt: skip
    with pytest.raises(ValueError, match=r"^loss: got 'runs_mine:x', which fails to import: E: no way$"):
        import_object("runs_mine:x", "loss")
    with pytest.raises(KeyboardInterrupt):
        import_object("runs_interrupted:x", "loss")


@pytest.mark.parametrize(
    "line",
    [
        "im = importlib.import_module; im('runs_helper')",
        "getattr(importlib, 'import_module')('runs_helper')",
        "pkgutil.resolve_name('runs_helper:x')",
        "importlib.machinery.SourceFileLoader('runs_helper', HERE + '/runs_helper.py').load_module()",
    ],
)
@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
def test_modules_that_only_a_run_loads_are_named(line: str, write: Write) -> None:
    """But not those that the source names, nor those that were loaded otherwise."""
    imports = "import importlib.machinery, os, pkgutil, runs_named\nHERE = os.path.dirname(__file__)\n"
    write({
        "runs_mine.py": f"{imports}{line}\nx = 1\n",
        "runs_helper.py": "import runs_inner\nx = 1\n", "runs_inner.py": "", "runs_named.py": "y = 1\n",
        "runs_other.py": "z = 1\n",
    })  # fmt: skip
    import_object("runs_other:z", "loss")
    import_object("runs_mine:x", "loss")
    assert loaded_unseen(["runs_mine:x"]) == (
        "runs_helper.py, which runs_mine:x loads as runs_helper",
        "runs_inner.py, which runs_mine:x loads as runs_inner",
    )
    assert loaded_unseen(["runs_other:z"]) == ()
    assert loaded_unseen(["runs_mine:x", "runs_helper:x"]) == ()


def test_modules_of_a_trial_call_count_too(write: Write) -> None:
    write({"runs_mine.py": "x = 1\n", "runs_late.py": "y = 1\n"})
    with own_code_runs("runs_mine:x"):
        __import__("runs_late")
    assert loaded_unseen(["runs_mine:x"]) == ("runs_late.py, which runs_mine:x loads as runs_late",)
