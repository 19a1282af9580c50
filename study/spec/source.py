"""Reads the text of a study, and of the studies that it extends, into one tree of keys.

`extends = "base.toml"` (a path relative to the file, or the name of a shipped study) starts from another study.
Tables merge key by key, and the extending file wins. A list, a range or any other value of a key is replaced as a
whole. `without = ["losses.kcl", "training.epochs"]` removes keys that the other study has. The name is not inherited,
because it determines the folder of the results. `lr_source` is not inherited, because rates that were tuned for one
protocol are not tuned for another one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from analysis.names import visible
from study.errors import StudyError, named
from study.spec.toml_text import render_toml
from trainables.bundle_folder import BUNDLE_FILE, bundle_around
from trainables.own_code import strangers_trusted, use_own_folders
from trainables.reading import STUDY_BYTES, TooLargeError, parse_json, parse_toml, plain_reason, read_text
from trainables.suggestion import did_you_mean, short_name, shortened

#: Keys of a study file that this module processes, with their types and meanings. The tree does not contain them.
SOURCE_KEYS = {
    "extends": (
        "text",
        "Another study to start from: a path relative to this file, or the name of a shipped study.",
    ),
    "without": (
        "list of text",
        'Keys of that study to leave out, such as `["losses.kcl", "training.epochs"]`.',
    ),
}
_EXTENDS, _WITHOUT = SOURCE_KEYS

#: The key that says how rates were tuned. Each file says it about its own protocol.
RATE_SOURCE_KEY = "lr_source"

#: Lies beside the copy of a study file in a store, and has the paths of the files that it was copied from.
ARCHIVE_FILE = "archive.json"

#: What to do about a study file that is too long.
_SHORTER = "; ranges need fewer bytes than lists"

#: The most studies that extend one another in a chain.
_LONGEST_CHAIN = 16


@dataclass(frozen=True, kw_only=True)
class Source:
    """The keys of a study in one tree, and the name and text of each file they come from, the study's own first."""

    origin: str
    tree: dict[str, Any]
    texts: tuple[tuple[str, str], ...]
    #: The bundle of the first of these files that is in one, so that a stranger wrote it.
    bundle: Path | None = None

    @property
    def text(self) -> str:
        """The text of one complete study file with the same keys.

        It is the study's own text, or, if the study extends others, the merged keys with every text as a comment.
        """
        if len(self.texts) == 1:
            return self.texts[0][1]
        comments = [f"{visible(name)}\n\n{text.rstrip()}" for name, text in self.texts]
        quoted = "\n\n".join(comments).replace("\n", "\n# ").replace("# \n", "#\n")
        return f"{render_toml(self.tree)}\n# Merged from:\n#\n# {quoted}\n"


#: The folder of the shipped studies of published protocols, beside the other ones.
_PUBLISHED = "published"


def shipped_studies() -> list[str]:
    """Names of the studies that come with the package."""
    return sorted(_shipped())


def published_studies() -> list[str]:
    """Names of the shipped studies that repeat published protocols. They need data and a GPU."""
    return sorted(name for name, file in _shipped().items() if file.parent.name == _PUBLISHED)


def laboratory_studies() -> list[str]:
    """Names of the other shipped studies."""
    return sorted(name for name, file in _shipped().items() if file.parent.name != _PUBLISHED)


def _shipped() -> dict[str, Path]:
    """The files of the shipped studies by name. A name is in one of the folders."""
    folder = Path(str(resources.files("study"))) / "specs"
    return {file.stem: file for file in (*folder.glob("*.toml"), *(folder / _PUBLISHED).glob("*.toml"))}


def read_source(name_or_path: str) -> Source:
    """Read a shipped study by name, or a study file by path. Raises `StudyError`.

    Afterwards Python can import modules from the folder of the study file. For the copy of a study file in a store,
    it is the folder of the file that was copied. For a file in a bundle, see `trainables.own_code`.
    """
    source = read_keys(name_or_path)
    shipped = name_or_path in shipped_studies()
    folder = None if shipped else _modules_folder(Path(name_or_path).expanduser().resolve().parent)
    use_own_folders(folder, bundle=source.bundle)
    return source


def read_keys(name_or_path: str) -> Source:
    """Read a study as `read_source` does, and leave the folders of own code as they are. Raises `StudyError`."""
    return _read_chain(name_or_path, Path(), (), STUDY_BYTES)


def _modules_folder(folder: Path) -> Path:
    """The folder with the user's modules, for a study file in `folder`."""
    if bundle_around(folder):  # what a bundle says about other folders is a stranger's
        return folder
    try:
        origin = Path(parse_json(read_text(folder / ARCHIVE_FILE))["origins"][-1])
    except (OSError, ValueError, LookupError, TypeError):
        return folder
    return origin.parent if origin.is_absolute() else folder


def _read_chain(name_or_path: str, folder: Path, before: tuple[str, ...], left: int) -> Source:
    """Read a study and the studies that it extends.

    Relative paths start at `folder`. `before` holds the files that led to this one, which leave `left` bytes for
    it and the studies that it extends.
    """
    text, origin, path, bundle = _read(name_or_path, folder)
    if (place := str(path)) in before:
        raise StudyError(f"{origin}: {_EXTENDS}: the studies extend each other in a circle")
    if len(before) >= _LONGEST_CHAIN:
        raise StudyError(
            f"{origin}: {_EXTENDS}: more than {_LONGEST_CHAIN} studies extend one another; put the keys of some of "
            "them into one file"
        )
    if (left := left - len(text.encode())) < 0:
        raise StudyError(
            f"{origin}: the studies that extend one another have more than {STUDY_BYTES:,} bytes together{_SHORTER}"
        )
    try:
        tree = parse_toml(text)
    except ValueError as error:
        raise StudyError(f"{origin}: not a TOML file: {error}") from error
    base, without = tree.pop(_EXTENDS, None), tree.pop(_WITHOUT, None)
    if base is None:
        if without is not None:
            raise StudyError(f"{origin}: {_WITHOUT}: is only for a study that extends another one")
        return Source(origin=origin, tree=tree, texts=((origin, text),), bundle=bundle)
    if not isinstance(base, str):
        raise StudyError(
            f"{origin}: {_EXTENDS}: got {shortened(base)}, must be a path or the name of a shipped study"
        )
    if bundle and not strangers_trusted():
        _check_within(base, path.parent, bundle, origin)
    with named(f"{origin}, {_EXTENDS}"):
        source = _read_chain(base, path.parent, (*before, place), left)
    rest = _without(source.tree, [] if without is None else without, origin, source.origin)
    rest = {key: value for key, value in rest.items() if key != RATE_SOURCE_KEY}
    return Source(
        origin=origin,
        tree=extended_tree(rest, tree),
        texts=((origin, text), *source.texts),
        bundle=bundle or source.bundle,
    )


def _check_within(base: str, folder: Path, bundle: Path, origin: str) -> None:
    """Raise `StudyError` if a study file in a bundle extends a file outside of it, which would be shown."""
    path = folder / Path(base).expanduser()
    if base not in shipped_studies() and not path.resolve().is_relative_to(bundle.resolve()):
        raise StudyError(
            f"{origin}: {_EXTENDS}: got {base!r}, which is outside of the bundle {bundle}; add --trust-code if you "
            "trust the author of the bundle"
        )


def _read(name_or_path: str, folder: Path) -> tuple[str, str, Path, Path | None]:
    """The text, the short name and the path of a file, and the bundle that contains it."""
    if shipped := _shipped().get(name_or_path):
        return shipped.read_text(encoding="utf-8"), name_or_path, shipped, None
    if "\0" in name_or_path:
        raise StudyError(f"cannot read {shortened(name_or_path)}: a path has no NUL character")
    try:
        path = folder / Path(name_or_path).expanduser()
        bundle, path = bundle_around(path), path.resolve()
        if path.suffix.lower() == ".zip" or (path / BUNDLE_FILE).exists():
            raise StudyError(
                f"got {shortened(name_or_path)}, must be a study file; that of an unpacked bundle is "
                "studies/NAME/study.toml in it"
            )
        if path.suffix != ".toml" and not path.exists():
            raise StudyError(
                f"got {shortened(name_or_path)}{did_you_mean(name_or_path, shipped_studies())}, must be a .toml file "
                f"or one of {', '.join(shipped_studies())}"
            )
        return read_text(path, STUDY_BYTES), path.name, path, bundle
    except UnicodeDecodeError as error:
        raise StudyError(f"{path.name}: not a TOML file: it is not UTF-8 text") from error
    except OSError as error:
        more = _SHORTER if isinstance(error, TooLargeError) else ""
        raise StudyError(f"cannot read {short_name(name_or_path)}: {error.strerror}{more}") from error
    except (RuntimeError, ValueError) as error:  # a circle of links, no home directory
        raise StudyError(f"cannot read {short_name(name_or_path)}: {plain_reason(error)}") from error


def extended_tree(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a study that extends `base` with its `own` keys."""
    inherited = {key: value for key, value in base.items() if key != "name"}
    own_first = {key: own[key] for key in ("name",) if key in own}
    merged = own_first | inherited
    for key, value in own.items():
        merged[key] = _merged(merged.get(key), value, tables=2 if key == "losses" else 1)
    return merged


def _merged(base: Any, own: Any, tables: int) -> Any:
    """Merge `own` into `base`, key by key for `tables` levels of tables. Deeper values are replaced as a whole."""
    if not tables or not isinstance(base, dict) or not isinstance(own, dict):
        return own
    return base | {key: _merged(base.get(key), value, tables - 1) for key, value in own.items()}


def _without(tree: dict[str, Any], paths: Any, origin: str, base: str) -> dict[str, Any]:
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise StudyError(
            f'{origin}: {_WITHOUT}: got {shortened(paths)}, must be a list such as ["losses.kcl"]'
        )
    for path in paths:
        try:
            tree = _removed(tree, parse_toml(f"{path} = 0"))
        except (ValueError, KeyError):
            raise StudyError(
                f"{origin}: {_WITHOUT}: got {shortened(path)}, which {base} does not have"
            ) from None
    return tree


def _removed(tree: dict[str, Any], path: dict[str, Any]) -> dict[str, Any]:
    """The tree without the key at `path`, which is nested tables of one key each. Raises `KeyError` if absent."""
    ((key, inner),) = path.items()
    if not isinstance(tree, dict):
        raise KeyError(key)
    value = tree[key]
    if isinstance(inner, dict):
        return tree | {key: _removed(value, inner)}
    return {name: item for name, item in tree.items() if name != key}
