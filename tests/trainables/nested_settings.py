"""A configuration with a list and a table in a table, declared as that of a trial is."""

import dataclasses

from trainables.settings import setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Head:
    """A table within a table, with a list."""

    widths: tuple[int, ...] = setting((512, 128), doc="Widths of the layers.", column="hp_widths")
    bias: bool = setting(True, doc="Whether layers have a bias.", axis=15, column="hp_bias")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """A task with a setting of its own and a table."""

    depth: int | None = setting(None, doc="Layers.", unit="layers", axis=2, column="hp_depth", ge=1)
    head: Head = dataclasses.field(default_factory=Head)
