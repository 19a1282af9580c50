"""The folders of the user on the Python path, and what keeps the code of bundles from being imported."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainables.bundle_folder import bundle_around, irregular_file
from trainables.own_code import (
    import_object,
    no_own_code,
    own_folders,
    start_own_code,
    strangers_trusted,
    use_own_folders,
)


@pytest.fixture(autouse=True)
def path_as_before() -> Iterator[None]:
    """Leaves no folder of a test on the Python path."""
    before = list(sys.path)
    start_own_code(trusted=False)
    yield
    start_own_code(trusted=False)
    sys.path[:] = before


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle with a module."""
    folder = tmp_path / "bundle"
    (folder / "studies" / "tiny").mkdir(parents=True)
    (folder / "bundle.json").touch()
    (folder / "strangers_module.py").write_text("class Loss: ...\n")
    return folder


def test_a_command_begins_without_folders_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    use_own_folders()
    assert sys.path == [*before, str(tmp_path)]
    start_own_code(trusted=False)
    assert (sys.path, own_folders()) == (before, ())


def test_folders_in_a_bundle_are_left_out(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bundle)
    use_own_folders(tmp_path)
    assert own_folders() == (str(tmp_path),)
    use_own_folders(bundle / "studies", bundle=bundle)
    assert own_folders() == ()
    with pytest.raises(ValueError, match=rf"which is named in the bundle {bundle}; nothing is imported"):
        import_object("os:getcwd", "loss")  # installed modules neither
    start_own_code(trusted=True)
    assert strangers_trusted()
    use_own_folders(bundle / "studies" / "tiny", bundle=bundle)
    assert own_folders() == (str(bundle / "studies" / "tiny"), str(bundle))
    assert import_object("strangers_module:Loss", "loss").__name__ == "Loss"


def test_nothing_is_imported_while_a_bundle_is_read(bundle: Path, tmp_path: Path) -> None:
    use_own_folders(tmp_path)
    folders = own_folders()
    assert str(tmp_path) in folders
    with no_own_code(bundle):
        assert own_folders() == ()
        assert str(tmp_path) not in sys.path
        with pytest.raises(ValueError, match="nothing is imported"):
            import_object("strangers_module:Loss", "loss")
    assert own_folders() == folders
    assert import_object("os:getcwd", "loss") is os.getcwd


def test_a_working_directory_in_a_bundle_leaves_the_path(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty part of PYTHONPATH puts it at the front."""
    monkeypatch.chdir(bundle)
    monkeypatch.setattr(sys, "path", ["", str(bundle), *sys.path])
    start_own_code(trusted=False)
    assert not {"", str(bundle)} & set(sys.path)
    monkeypatch.setattr(sys, "path", [str(bundle), *sys.path])
    start_own_code(trusted=True)
    assert sys.path[0] == str(bundle)


def test_the_bundle_around_a_path(bundle: Path, tmp_path: Path) -> None:
    assert bundle_around(bundle) == bundle_around(bundle / "studies" / "x" / "study.toml") == bundle
    assert bundle_around(tmp_path / "other") is None
    link = tmp_path / "link"
    link.symlink_to(bundle / "studies")
    assert bundle_around(link / "study.toml") == bundle
    (bundle / "out").symlink_to(tmp_path)
    assert bundle_around(bundle / "out" / "x.toml") == bundle
    (bundle / "bundle.json").unlink()
    (bundle / "bundle.json").symlink_to(tmp_path / "absent")
    assert bundle_around(bundle / "studies") == bundle


def test_links_and_special_files_of_a_bundle(bundle: Path) -> None:
    (bundle / ".venv").symlink_to(bundle)  # no part of a bundle: nothing reads it
    assert irregular_file(bundle) is None
    (bundle / "studies" / "tiny" / "a").symlink_to("/etc/passwd")
    assert irregular_file(bundle) == Path("studies/tiny/a")
    (bundle / "studies" / "tiny" / "a").unlink()
    os.mkfifo(bundle / "studies" / "b")
    assert irregular_file(bundle) == Path("studies/b")
