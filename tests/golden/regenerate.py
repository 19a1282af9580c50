"""Writes the golden files anew: `uv run python -m tests.golden.regenerate`. Review the diff."""

import dataclasses
import json

from study.spec.reference import reference_page
from tests.golden.contents import (
    IDS_GOLDEN,
    NUMERICS_GOLDEN,
    PLAN_GOLDEN,
    README,
    REFERENCE,
    SCHEMA_GOLDEN,
    all_numbers,
    quickstart_lines,
    schema_lines,
    with_loss_table,
)
from tests.trainables.tiny_trial import example
from trainables.config import Provenance, trial_keys


def main() -> None:
    """Ids, schema, the quickstart's plan, numbers of tiny trials, and what documentation is made from code."""
    keys = trial_keys(example(), Provenance(data_fingerprint="digits"))
    IDS_GOLDEN.write_text(json.dumps(dataclasses.asdict(keys), indent=2) + "\n")
    SCHEMA_GOLDEN.write_text("\n".join(schema_lines()) + "\n")
    PLAN_GOLDEN.write_text("\n".join(quickstart_lines()) + "\n")
    NUMERICS_GOLDEN.write_text(json.dumps(all_numbers(), indent=2) + "\n")
    README.write_text(with_loss_table(README.read_text()))
    REFERENCE.write_text(reference_page())


if __name__ == "__main__":
    main()
