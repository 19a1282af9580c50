"""Which code of the user's own the ids of a study's trials cover, for `study plan`."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from study.plan import Plan
from trainables.datasets.datasets import is_own_name
from trainables.datasets.own_data import counted_code
from trainables.own_files import OwnCode, is_import_path, joined_code
from trainables.own_runs import loaded_unseen
from trainables.suggestion import first_names

#: Names of files and notes that a line shows; `--json` has all.
_SHOWN = 6


def own_code_facts(plan: Plan) -> dict[str, Any]:
    """The key of `--json` about the user's own code. `files` are part of the ids; the rest is not."""
    code = _own_code(plan)
    if code is None:
        return {}
    return {"own_code": {"files": code.files, "not_followed": code.not_followed, "opened": code.opened}}


def own_code_lines(plan: Plan) -> Iterator[str]:
    """Lines on the files that count, on what cannot be followed, and on data files; none without own code."""
    if (code := _own_code(plan)) is None:
        return
    if code.files:
        yield f"Own code in the ids: {first_names(code.files, _SHOWN)}."
    if code.not_followed:
        yield f"Not followed, so not in the ids: {first_names(code.not_followed, _SHOWN)}."
    if code.opened:
        yield f"Data files that own code opens, not in the ids: {first_names(code.opened, _SHOWN)}."


def _own_code(plan: Plan) -> OwnCode | None:
    """The code behind the losses, the encoder and the data set of a study; None if there is nothing to say of it.

    Own modules that this process loaded when it tried them, and that their source does not name, are not followed.
    """
    encoder, data = getattr(plan.spec, "encoder", None), getattr(plan.spec, "data", None)
    names = [*(arm.loss for arm in plan.trial_set.arms), *([encoder.name] if encoder else [])]
    paths = [name for name in names if is_import_path(name)]
    tried = list(dict.fromkeys(paths))
    if data and is_own_name(data.name):
        tried.append(data.name)
        paths += [data.name] if counted_code(data.name) else []
    unseen = loaded_unseen(tried)
    if not paths and not unseen:
        return None
    code = joined_code(paths)
    return dataclasses.replace(code, not_followed=(*code.not_followed, *unseen))
