"""The golden files and generated pages: where each lies, and what the code gives for it today."""

from pathlib import Path

from study.spec.expand import expand
from study.spec.load import load_spec
from tests.trainables.tiny_trial import tiny
from trainables.config import NUMERICS_VERSION
from trainables.loss_table import loss_table
from trainables.losses import LOSSES
from trainables.store.schema import column_unit, record_schema
from trainables.trial import run_trial

_GOLDEN = Path(__file__).parent
_REPOSITORY = _GOLDEN.parents[1]
IDS_GOLDEN = _GOLDEN / "ids.json"
NUMERICS_GOLDEN = _GOLDEN / "numerics.json"
PLAN_GOLDEN = _GOLDEN / "quickstart_plan.txt"
SCHEMA_GOLDEN = _GOLDEN / "schema.txt"
README = _REPOSITORY / "README.md"
REFERENCE = _REPOSITORY / "docs" / "study_file.md"


def quickstart_lines() -> list[str]:
    trial_set = expand(load_spec("quickstart").spec, None)
    return [f"{trial.keys.trial_id}  {trial.title}" for trial in trial_set.trials]


def with_loss_table(readme: str) -> str:
    """The README with its table of losses made anew, between two marks."""
    head, mark, rest = readme.partition(
        "<!-- losses: made by `uv run python -m tests.golden.regenerate` -->\n"
    )
    _, end, tail = rest.partition("<!-- end of losses -->")
    assert mark
    assert end
    return head + mark + loss_table() + end + tail


_NUMERICS_COLUMNS = ("train_loss_first", "train_loss_last", "z_alignment", "z_uniformity", "h_effective_rank")


def measured(loss: str) -> dict[str, float]:
    record = run_trial(tiny(loss))
    return {name: getattr(record, name) for name in _NUMERICS_COLUMNS}


def all_numbers() -> dict[str, object]:
    return {"numerics_version": NUMERICS_VERSION, **{loss: measured(loss) for loss in LOSSES}}


def schema_lines() -> list[str]:
    return [
        f"{field.name}  {field.type}  {'null' if field.nullable else 'required'}  {column_unit(field.name)}".rstrip()
        for field in record_schema()
    ]
