"""docs/published_protocols.md agrees with the published studies: every key and every printed number."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from study.spec.source import published_studies

_REPOSITORY = Path(__file__).resolve().parents[1]
_FOLDER = _REPOSITORY / "study" / "specs" / "published"
_PAGE = (_REPOSITORY / "docs" / "published_protocols.md").read_text(encoding="utf-8")

#: A row of a table of claims: name, value, spread and runs.
_CLAIM = re.compile(r"^\| `([^`]+)` \| ([\d.]+) \| ([\d.–]+) \| ([\d–]+) \|$", re.MULTILINE)
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
    heads = [line for line in lines if line.startswith(("| key ", "| claim ", "| --- "))]
    assert len(_ROW.findall(tables)) + len(_CLAIM.findall(tables)) == len(lines) - len(heads) > 100
    assert len(heads) == 2 * (2 * len(published_studies()) - 1)  # cifar10_protocol has no claims


@pytest.mark.parametrize("name", published_studies())
def test_the_table_of_claims_has_every_printed_number_by_name(name: str) -> None:
    """Value, spread and runs; accuracies are percent on the page and shares in the file."""
    claims = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8")).get("claims", [])
    unit = {claim["name"]: 100 if claim["column"].endswith("accuracy") else 1 for claim in claims}
    rows = _CLAIM.findall(section(name))
    printed = {
        claim: (share(value, unit[claim]), share(spread, unit[claim]), share(runs, 1))
        for claim, value, spread, runs in rows
    }
    assert len(printed) == len(rows), "a claim stands there twice"
    assert printed == {
        claim["name"]: (claim["expected"], claim.get("spread"), claim.get("runs")) for claim in claims
    }
    assert bool(claims) == (name != "cifar10_protocol")


def share(text: str, unit: int) -> float | None:
    """A number of the page in the unit of the file; None for a dash."""
    return None if text == "–" else float(Decimal(text) / unit)


@pytest.mark.parametrize("name", ["lightly_cifar10", "lightly_cifar10_matched"])
def test_no_number_of_an_unclear_protocol_is_compared(name: str) -> None:
    claims = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["claims"]
    assert len(claims) == 8
    for claim in claims:
        reason = claim["not_comparable"]
        older = claim["name"].endswith("_2022")
        assert ("has no batch norms" if older else "unclear whether") in reason
