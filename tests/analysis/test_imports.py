"""The analysis loads neither torch nor runners."""

import subprocess
import sys


def test_analysis_loads_neither_torch_nor_runners() -> None:
    code = (
        "import sys, analysis.report.write, analysis.tables.exports; "
        "banned = {'torch', 'ray', 'optuna', 'mlflow', 'wandb', 'study', 'search_spaces'} & set(sys.modules); "
        "assert not banned, banned"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
