"""Messages about data are one line without control characters, since names of files may contain any."""

import pytest

from tests.analysis.hostile import TEXTS
from trainables.datasets.progress import say


@pytest.mark.parametrize("text", TEXTS)
def test_a_message_is_one_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(f"no cache at {text}")
    line = capsys.readouterr().err
    assert line.startswith("data: no cache at ")
    assert line.count("\n") == 1
    assert not any(0x7F <= ord(char) < 0xA0 or ord(char) < 0x20 for char in line[:-1])
    assert "\u202e" not in line
