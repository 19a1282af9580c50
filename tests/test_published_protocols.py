"""docs/published_protocols.md agrees with the published studies: every key of every study, with its value."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from study.spec.source import published_studies

_REPOSITORY = Path(__file__).resolve().parents[1]
_FOLDER = _REPOSITORY / "study" / "specs" / "published"
_PAGE = (_REPOSITORY / "docs" / "published_protocols.md").read_text(encoding="utf-8")

#: Keys that do not describe a protocol.
_NO_PROTOCOL = {"name", "description", "task", "reference", "extends", "claims", "resources"}
#: First words of the last column.
_AGREES = {"same", "nearest", "ours"}

_ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| (.+) \| ([^|]+) \|$", re.MULTILINE)


def section(name: str) -> str:
    """The text below a heading of the page, up to the next one."""
    found = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", _PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"{name} has no section"
    return found[1]


def leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def keys_of(name: str) -> dict[str, Any]:
    """The keys in a study's own file that describe its protocol, with their values."""
    tree = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return dict(leaves({key: value for key, value in tree.items() if key not in _NO_PROTOCOL}))


@pytest.mark.parametrize("name", published_studies())
def test_the_table_has_every_key_with_its_value(name: str) -> None:
    rows = _ROW.findall(section(name))
    table = {key: tomllib.loads(f"value = {value}")["value"] for key, value, _, _ in rows}
    assert len(table) == len(rows), "a key stands there twice"
    assert table == keys_of(name)
    assert {agrees.split()[0].rstrip(":") for _, _, _, agrees in rows} <= _AGREES
    assert "Not expressed" in section(name)


def test_every_row_of_the_tables_is_read() -> None:
    tables = _PAGE.partition("## What makes a comparison unfair")[0]
    lines = [line for line in tables.splitlines() if line.startswith("| ")]
    heads = [line for line in lines if line.startswith(("| key ", "| --- "))]
    assert len(_ROW.findall(tables)) == len(lines) - len(heads) > 100
    assert len(heads) == 2 * len(published_studies())


@pytest.mark.parametrize("name", published_studies())
def test_expected_numbers_stand_on_the_page(name: str) -> None:
    """Each printed number, in percent or as a share, and no claim without its source."""
    claims = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8")).get("claims", [])
    assert claims or name == "cifar10_protocol"
    for claim in claims:
        value = claim["expected"]
        texts = {f"{value:g}", f"{100 * value:.4g}", f"{100 * value:.1f}", f"{value:.3f}".removeprefix("0")}
        told = section(name) + section(name.removesuffix("_matched"))
        assert any(re.search(rf"(?<![\d.]){re.escape(text)}(?!\d)", told) for text in texts), claim["name"]
        assert claim["paper"]
        assert claim.get("runs", 1) >= 1
