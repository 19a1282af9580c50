"""The files that identify the user's own code: every own module that is imported, from wherever, and no other."""

import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.trainables.tiny_trial import tiny
from trainables.own_code import use_own_folders
from trainables.own_files import joined_code, own_code_of
from trainables.provenance import code_fingerprint

#: A loss that imports installed packages and the standard library only, as the first release of ids hashed it.
ALONE = """import math

import torch

from trainables.losses.infonce import InfoNCE


def loss(z_a, z_b):
    return (z_a - z_b).square().sum()
"""

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes files, given by their relative names, into one folder that is searched for modules."""
    folder = tmp_path / "own"
    monkeypatch.syspath_prepend(str(folder))

    def write_files(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        use_own_folders()  # as every command does first
        return folder

    yield write_files
    use_own_folders()


def files_of(path: str = "mine:loss") -> tuple[str, ...]:
    return own_code_of(path).files


def fingerprint(path: str = "mine:loss") -> str:
    return code_fingerprint(tiny(path))


def test_a_file_without_own_imports_keeps_its_id(write: Write) -> None:
    write({"mine.py": ALONE})
    assert own_code_of("mine:loss").source == ALONE.encode()
    assert fingerprint() == "ea0c8e907fa92c3d699f"


def test_a_package_whose_init_runs_nothing_keeps_the_id_of_its_module(write: Write) -> None:
    write({"pack/__init__.py": '"""Losses."""\n', "pack/mine.py": ALONE})
    assert fingerprint("pack.mine:loss") == "ea0c8e907fa92c3d699f"
    write({"pack/__init__.py": "import torch\n"})
    assert fingerprint("pack.mine:loss") != "ea0c8e907fa92c3d699f"


@pytest.mark.parametrize(
    ("files", "counted"),
    [
        ({"mine.py": "import helper", "helper.py": "x = 1"}, ("helper.py",)),
        ({"mine.py": "from helper import x", "helper.py": "x = 1"}, ("helper.py",)),
        ({"mine.py": "from helper import *", "helper.py": "x = 1"}, ("helper.py",)),
        ({"mine.py": "import a", "a.py": "import b", "b.py": "x = 1"}, ("a.py", "b.py")),
        ({"mine.py": "import a", "a.py": "import b", "b.py": "import a, mine"}, ("a.py", "b.py")),
        ({"mine.py": "def loss(a, b):\n    import helper", "helper.py": "x = 1"}, ("helper.py",)),
        ({"mine.py": "if 1:\n    try:\n        import helper\n    except Exception: ...", "helper.py": "1 / 0"},
         ("helper.py",)),
        ({"mine.py": "import pack.sub", "pack/__init__.py": "x = 1", "pack/sub.py": "x = 1", "pack/b.py": "x = 1"},
         ("pack/__init__.py", "pack/sub.py")),
        ({"mine.py": "from pack import sub, x", "pack/__init__.py": "x = 1", "pack/sub.py": "x = 1"},
         ("pack/__init__.py", "pack/sub.py")),
        ({"mine.py": "import pack", "pack/__init__.py": "from . import sub", "pack/sub.py": "from .deep.er import x",
          "pack/deep/__init__.py": "", "pack/deep/er.py": "from ...pack import last", "pack/last.py": "x = 1"},
         ("pack/__init__.py", "pack/deep/er.py", "pack/last.py", "pack/sub.py")),
        ({"mine.py": "from pack import *", "pack/__init__.py": "__all__ = ['sub']", "pack/sub.py": "x = 1"},
         ("pack/__init__.py", "pack/sub.py")),
        ({"mine.py": "import space.inner.sub", "space/inner/sub.py": "from . import other",
          "space/inner/other.py": "x = 1"},
         ("space/inner/other.py", "space/inner/sub.py")),
        ({"mine.py": "import importlib\nimportlib.import_module('pack.late')", "pack/late.py": "x = 1"},
         ("pack/late.py",)),
        ({"mine.py": "from importlib import import_module as get\nget('late')", "late.py": "x = 1"}, ("late.py",)),
        ({"mine.py": "__import__('late')", "late.py": "x = 1"}, ("late.py",)),
        ({"mine.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\nelse:\n    import b",
          "a.py": "x = 1", "b.py": "x = 1"}, ("b.py",)),
        ({"mine.py": "import random, analysis.report, numpy", "random.py": "x = 1", "analysis/report.py": "x = 1"},
         ()),
    ],
)  # fmt: skip
def test_every_own_module_that_is_imported_counts(
    files: dict[str, str], counted: tuple[str, ...], write: Write
) -> None:
    """None of them runs, and each changes the id, as a file beside them does not."""
    if "random.py" in files:  # the folder is searched last, as `study` searches it
        folder = write({})
        sys.path.remove(str(folder))
        sys.path.append(str(folder))
    folder = write({**files, "unrelated.py": "x = 1"})
    before = set(sys.modules)
    assert files_of() == ("mine.py", *counted)
    assert not {
        name for name in set(sys.modules) - before if name.split(".")[0] not in sys.stdlib_module_names
    }
    whole = fingerprint()
    write({"unrelated.py": "x = 2"})
    assert fingerprint() == whole
    for name in ("mine.py", *counted):
        text = (folder / name).read_text()
        write({name: text + "\n# edited\n"})
        assert fingerprint() != whole, name
        write({name: text})
        assert fingerprint() == whole


def test_the_place_of_the_files_is_no_part_of_the_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the folder nor the other folders on the path nor the order in which modules import one another."""
    found = []
    for folder, imports in (("a", "import one, two"), ("b/c", "import one, two")):
        place = tmp_path / folder
        place.mkdir(parents=True)
        (place / "mine.py").write_text(imports)
        (place / "one.py").write_text("import two")
        (place / "two.py").write_text("import one")
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(place))
            found.append(joined_code(["mine:loss"]))
    assert found[0] == found[1]
    assert found[0].files == ("mine.py", "one.py", "two.py")


def test_two_files_that_exchange_their_content_change_the_id(write: Write) -> None:
    write({"mine.py": "import one, two", "one.py": "x = 1", "two.py": "x = 2"})
    before = fingerprint()
    write({"one.py": "x = 2", "two.py": "x = 1"})
    assert fingerprint() != before


def test_installed_packages_do_not_count_and_editable_ones_do(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed, editable = tmp_path / "env" / "site-packages", tmp_path / "checkout" / "src"
    for folder, name in ((installed, "installed_package"), (editable, "editable_package")):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("x = 1")
        monkeypatch.syspath_prepend(str(folder))
    write({"mine.py": "import installed_package, editable_package"})
    assert files_of() == ("mine.py", "editable_package/__init__.py")
    assert files_of("installed_package:x") == ("installed_package/__init__.py",)  # it is named itself


def test_a_finder_of_an_editable_install_is_asked(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As setuptools installs one: the package is in no folder on the path."""
    from importlib.util import spec_from_file_location

    package = tmp_path / "checkout" / "lib"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from mapped_package import sub")
    (package / "sub.py").write_text("x = 1")

    class Finder:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> object:
            if name != "mapped_package":
                return None
            return spec_from_file_location(
                name, package / "__init__.py", submodule_search_locations=[str(package)]
            )

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    write({"mine.py": "import mapped_package"})
    assert files_of() == ("mine.py", "mapped_package/__init__.py", "mapped_package/sub.py")


def test_a_compiled_extension_counts_by_its_bytes(write: Write) -> None:
    name = f"fast{sysconfig.get_config_var('EXT_SUFFIX')}"
    folder = write({"mine.py": "import fast"})
    (folder / name).write_bytes(b"\x7fELF\0 one")
    use_own_folders()
    assert files_of() == ("mine.py", name)
    before = fingerprint()
    (folder / name).write_bytes(b"\x7fELF\0 another")
    assert fingerprint() != before


def test_a_file_that_changes_is_read_again_and_others_are_kept(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write({"mine.py": "import helper", "helper.py": "x = 1"})
    before = fingerprint()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda _: pytest.fail("a file that did not change is read again"))
        assert fingerprint() == before
    (folder / "helper.py").write_text("import other")
    (folder / "other.py").write_text("x = 1")
    assert files_of() == ("mine.py", "helper.py", "other.py")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def f(:\n    pass\n", "helper.py has a syntax error in line 1: invalid syntax"),
        ("x = '\0'", "helper.py has a syntax error.*: source code .* null bytes"),
    ],
)
def test_a_syntax_error_is_one_line(text: str, fault: str, write: Write) -> None:
    write({"mine.py": "def loss(a, b):\n    import helper", "helper.py": text})
    with pytest.raises(ValueError, match=rf"^import path: got 'mine:loss', but {fault}") as caught:
        own_code_of("mine:loss")
    assert "\n" not in str(caught.value)


def test_warnings_about_the_users_source_are_not_raised(write: Write) -> None:
    write({"mine.py": "import helper", "helper.py": r"x = '\d'"})
    assert files_of() == ("mine.py", "helper.py")


@pytest.mark.parametrize("path", ["nowhere_at_all:loss", "time:sleep", "space:loss", ":loss"])
def test_a_module_without_a_file_is_refused(path: str, write: Write) -> None:
    write({"space/inner.py": "x = 1"})
    with pytest.raises(ValueError, match=f"^import path: got '{path}', but there is no module"):
        own_code_of(path)


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("importlib.import_module(name)", "importlib.import_module(name)"),
        ("importlib.import_module('.late', __package__)", "importlib.import_module('.late', __package__)"),
        ("__import__(name)", "__import__(name)"),
        ("exec(text)", "exec(text)"),
        ("sys.path.insert(0, 'lib')", "sys.path.insert(0, 'lib')"),
        ("importlib.util.spec_from_file_location('a', place)", "importlib.util.spec_from_file_location('a', place)"),
        ("import nowhere_at_all.sub", "import nowhere_at_all.sub, which is not found"),
        ("from computed import *", "from computed import *"),
        ("from plain import *", None),
        ("import numpy.nowhere", None),
    ],
)  # fmt: skip
def test_imports_that_only_a_run_knows_are_named(line: str, note: str | None, write: Write) -> None:
    write({
        "mine.py": "import helper", "helper.py": f"\n{line}", "plain/__init__.py": "__all__ = []",
        "computed/__init__.py": "__all__ = []\n__all__ += names()",
    })  # fmt: skip
    expected = () if note is None else (f"{note} (helper.py, line 2)",)
    assert own_code_of("mine:loss").not_followed == expected


_CONSTANTS = """FOLDER = Path(__file__).parent / "tables"
TABLE: Path = FOLDER / "table.txt"
TWICE = "a.txt"
TWICE = "b.txt"
GIVEN = choose("a.txt")
RECORDS = {"a": "b.txt"}
"""


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ("open('x.csv')", "x.csv"),
        ("open('x.csv', 'r+')", "x.csv"),
        ("np.load('w.npy', allow_pickle=True)", "w.npy"),
        ("torch.load(HERE / 'data' / 'w.pt')", "data/w.pt"),
        ("pd.read_csv(os.path.join(HERE, 'a', 'x.csv'))", "a/x.csv"),
        ("Path('x.txt').read_text()", "x.txt"),
        ("(HERE / 'x.txt').open('rb')", "x.txt"),
        ("json.load(open('x.json'))", "x.json"),
        ("open('log.txt', 'w')", None),
        ("open('log.txt', mode='ab')", None),
        ("open(path)", None),
        ("path.open('rb')", None),
        ("np.load(tables['key'])", None),
        ("open(f'{name}.csv')", None),
        ("print('x.csv')", None),
        ("open(file='x.csv')", "x.csv"),
        ("open(file='log.txt', mode='w')", None),
        ("pd.read_csv(filepath_or_buffer='x.csv')", "x.csv"),
        ("np.loadtxt(TABLE)", "tables/table.txt"),
        ("np.loadtxt(fname=TABLE)", "tables/table.txt"),
        ("TABLE.read_text()", "tables/table.txt"),
        ("open(FOLDER / name)", "tables"),
        ("open(TWICE)", None),
        ("np.load(GIVEN)", None),
        ("RECORDS.load(name)", None),
    ],
)
def test_constant_paths_of_data_files_are_named(call: str, path: str | None, write: Write) -> None:
    write({"mine.py": f"{_CONSTANTS}x = {call}"})
    expected = () if path is None else (f"{path} (mine.py, line 7)",)
    assert joined_code(["mine:loss"]).opened == expected
