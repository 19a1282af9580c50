"""STUB until the exports are merged."""

from pathlib import Path

import pandas as pd


def open_export(source: str | Path) -> pd.DataFrame | None:
    return None
