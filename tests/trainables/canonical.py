"""Reads a configuration back from its canonical form."""

import json

from pydantic import TypeAdapter

from trainables.config import TASKS, TrialConfig


def from_canonical(text: str) -> TrialConfig:
    """The configuration that `canonical_json` wrote."""
    tree = json.loads(text)
    task = TypeAdapter(TASKS[tree["task"].pop("kind")]).validate_python(tree["task"])
    config: TrialConfig = TypeAdapter(TrialConfig).validate_python(tree | {"task": task})
    return config
