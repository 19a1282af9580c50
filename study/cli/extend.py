"""`study extend`: adds values, seeds, losses or points to a study, in its own file or in a new file."""

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from study.cli.options import DATA_ROOT, STORE, TRUST_CODE, guarded
from study.console import CONSOLE, say, shell_line
from study.errors import MissingRate, StudyError, named, writing
from study.spec.source import RATE_SOURCE_KEY, Source, extended_tree, read_source, shipped_studies
from study.spec.toml_text import render_toml, render_value
from trainables.atomic import create_file, replace_file
from trainables.reading import STUDY_BYTES, read_text

if TYPE_CHECKING:
    from study.spec.expand import TrialSet


@click.command("extend")
@click.argument("study")
@STORE
@DATA_ROOT
@TRUST_CODE
@click.option("--seeds", metavar="N,N", help="More seeds.")
@click.option(
    "--axis",
    "axes",
    multiple=True,
    metavar="NAME=V,V",
    help="More values of an axis: batch_size=512,1024; temperature=0.01 for all losses that vary it; or "
    "dhel.temperature=0.01 for one loss. May be given more than once.",
)
@click.option(
    "--loss",
    "losses",
    multiple=True,
    metavar="LABEL[=LOSS]",
    help="One more loss, over its default range or the values of --axis LABEL.FIELD. May be given more than once.",
)
@click.option(
    "--points",
    type=click.IntRange(min=1),
    help="For designs that draw points: the new total of configurations per loss.",
)
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    help="For designs that search: the new total of configurations per loss.",
)
@click.option(
    "--out", metavar="FILE", help="Write a new study that extends STUDY, and leave STUDY unchanged."
)
@click.option("--dry-run", is_flag=True, help="Show the changes, and write nothing.")
@guarded
def command(
    study: str,
    store: str,
    data_root: str | None,
    seeds: str | None,
    axes: tuple[str, ...],
    losses: tuple[str, ...],
    points: int | None,
    trials: int | None,
    out: str | None,
    dry_run: bool,
) -> None:
    """Add values, seeds, losses or points to STUDY, then show what would run.

    Only new trials would run. The command edits the study's own file: comments and layout stay, and the earlier text
    is kept in a file next to it. The study keeps its name and its store, with one report over all trials. With --out,
    STUDY does not change, and the new study shares its records. The command checks the grown study before it writes.
    """
    from study.cli.plan import show_plan
    from study.loaded import check_data_root
    from study.spec.expand import expand
    from study.spec.growth import grown_keys, parse_growth
    from study.spec.load import check_source

    budget = {"points": points, "trials": trials}
    growth = parse_growth(seeds=seeds, axes=axes, losses=losses, budget=budget)
    root = check_data_root(Path(data_root).expanduser() if data_root else None)
    source = read_source(study)
    if out is None and study in shipped_studies():
        raise StudyError(
            f"extend: {study} is shipped with the package; use --out FILE to write a study that extends it"
        )
    spec = check_source(source).spec
    with named(source.origin):
        trial_set = expand(spec, root)
    keys = grown_keys(spec, trial_set, growth)
    _check_growth(source, keys, trial_set, root)
    stated = {RATE_SOURCE_KEY: spec.lr_source} if spec.lr_source else {}  # the protocol stays
    text = _extending_text(study, Path(out), stated | keys) if out else edited_text(source.texts[0][1], keys)
    if (size := len(text.encode())) > STUDY_BYTES:
        raise StudyError(f"extend: the file would have {size:,} bytes; at most {STUDY_BYTES:,} are read")
    if dry_run:
        CONSOLE.print(f"{out or study} would say:\n\n{render_toml(keys)}", markup=False, soft_wrap=True)
        return
    _write_new(Path(out), text) if out else _replace(Path(study).expanduser(), text)
    show_plan(out or study, store, data_root, as_json=False, timed=False)
    say(f"Run it with: {shell_line('study', 'run', out or study)}")


def _check_growth(source: Source, keys: Mapping[str, Any], before: "TrialSet", root: Path | None) -> None:
    """Raise `StudyError` unless the grown study is valid and has every trial of the old one."""
    from study.spec.expand import expand
    from study.spec.load import check_source

    spec = check_source(dataclasses.replace(source, tree=grown_tree(source.tree, keys))).spec
    try:
        after = {trial.keys.trial_id for trial in expand(spec, root).trials}
    except MissingRate as error:
        losses = keys.get("losses", {})
        rates = " ".join(f"--axis {label}.lr=RATE" for label, table in losses.items() if "lr" not in table)
        raise StudyError(f"extend: {error}; here with {rates}") from error
    lost = sum(trial.keys.trial_id not in after for trial in before.trials)
    if lost:
        raise StudyError(
            f"extend: {lost} of the {len(before.trials)} trials would no longer be part of the study, because design "
            f"{before.design.name} draws its points from the current axes; add points or seeds, or begin another "
            "study"
        )


def grown_tree(tree: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    """The tree of the study file with the new keys, under the same name."""
    return extended_tree(tree, {key: tree[key] for key in ("name",) if key in tree} | dict(keys))


def edited_text(text: str, keys: Mapping[str, Any]) -> str:
    """The study file with new values of `keys`; comments, order and layout stay.

    Raises `StudyError` if the file cannot be edited in this way.
    """
    import tomlkit

    document = tomlkit.parse(text)
    for key, value in keys.items():
        _set(document, {key: value}, depth=2 if key == "losses" else 1)
    edited = _spaced(tomlkit.dumps(document), text)
    if tomllib.loads(edited) != grown_tree(tomllib.loads(text), keys):
        raise StudyError(
            "extend: the command cannot edit a file with this layout; use --out FILE, or edit it yourself"
        )
    return edited


def _set(table: Any, keys: Mapping[str, Any], depth: int) -> None:
    """Set keys of a table, down to `depth` levels of nested tables. A deeper table is replaced as one value."""
    import tomlkit
    from tomlkit.items import AbstractTable, Array

    for key, value in keys.items():
        now = table.get(key)
        if depth and isinstance(value, dict):
            if not isinstance(now, AbstractTable):
                table[key] = tomlkit.table(is_super_table=key == "losses" and bool(value))
            _set(table[key], value, depth - 1)
            continue
        before = _last_line(now)
        if isinstance(now, Array) and value[: len(now)] == now.unwrap():
            now.extend(value[len(now) :])  # keeps its layout and comments
        else:
            table[key] = tomlkit.parse(f"value = {render_value(value)}")["value"]
        trivia = table.item(key).trivia
        if trivia.comment:  # the comment stays in its column if there is room
            trivia.comment_ws = " " * max(1, len(trivia.comment_ws) + before - _last_line(table.item(key)))


def _spaced(edited: str, before: str) -> str:
    """The edited text with a blank line around every new table."""
    headers, lines, new = set(before.split("\n")), [""], False
    for line in edited.split("\n"):
        if line.startswith("["):
            follows, new = new, line not in headers
            if (new or follows) and lines[-1].strip():
                lines.append("")
        lines.append(line)
    return "\n".join(lines[1:])


def _last_line(item: Any) -> int:
    """The length of the last line of a value, in characters."""
    from tomlkit.items import Item

    return len(item.as_string().splitlines()[-1]) if isinstance(item, Item) else 0


def _extending_text(study: str, out: Path, keys: Mapping[str, Any]) -> str:
    """The text of a file that extends the study, given by its name or by its path relative to `out`."""
    from study.cli.init import study_name

    base = study
    if study not in shipped_studies():
        base = os.path.relpath(Path(study).expanduser().resolve(), out.expanduser().resolve().parent)
    own: dict[str, Any] = {"name": study_name(out), "extends": Path(base).as_posix()}
    head = f"# Written by `study extend {study}`: the additions to that study, which does not change."
    return f"{head}\n{render_toml(own | dict(keys))}"


def _write_new(path: Path, text: str) -> None:
    with writing("--out", path):
        path.expanduser().parent.stat()  # raises, since a folder that does not exist may be a typing error
        created = create_file(path.expanduser(), text.encode())
    if not created:
        raise StudyError(f"--out: got {path}, which exists already; nothing is overwritten")
    say(f"Wrote {path}.")


def _replace(path: Path, text: str) -> None:
    """Replace the file, and keep the earlier text next to it as the next `.before-N`."""
    kept = next(
        place
        for number in range(1, 10**6)
        if not (place := path.with_name(f"{path.name}.before-{number}")).exists()
    )
    with writing("extend", path):
        replace_file(kept, read_text(path, STUDY_BYTES))
        replace_file(path, text)
    say(f"Wrote {path}; the earlier version is kept as {kept.name}.")
