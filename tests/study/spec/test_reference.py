"""The reference of study-file keys is that of the code, and describes every key."""

from click.testing import CliRunner

from study.cli.main import main
from study.spec.reference import key_tables, reference_page
from tests.golden.contents import REFERENCE


def test_the_reference_is_todays() -> None:
    """Regenerate with `uv run python -m tests.golden.regenerate`."""
    assert REFERENCE.read_text() == reference_page()


def test_every_key_has_a_type_a_default_and_a_meaning() -> None:
    for table in key_tables():
        assert table.meaning
        for key in table.keys:
            assert key.type, f"{table.title} {key.name}"
            assert key.default, f"{table.title} {key.name}"
            assert key.meaning, f"{table.title} {key.name}"
            assert "|" not in key.type + key.default + key.meaning  # would end its cell


def test_the_command_line_shows_it() -> None:
    shown = CliRunner().invoke(main, ["list", "keys"], terminal_width=200).output
    for word in ("[training]", "design_seed", "warmup_fraction", "without"):
        assert word in shown
