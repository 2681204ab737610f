"""The documentation is true: what it names exists, and what can be seen of the relay is explained."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMMERCE = (ROOT / "docs" / "commerce.md").read_text(encoding="utf-8")
TRAPS = (ROOT / "docs" / "traps.md").read_text(encoding="utf-8")
RULES = sorted((ROOT / "relay" / "translation").rglob("*.py"))
ENDINGS = {"ignored": 0, "Ending": 1}  # what ends a delivery -> the place of the reason among its arguments


def reasons() -> Iterator[str]:
    """Give every reason a rule can end a delivery with; what a placeholder stands for is written ``...``."""
    for path in RULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ENDINGS:
                place = ENDINGS[node.func.id]
                given = [*node.args[place : place + 1], *(each.value for each in node.keywords if each.arg == "reason")]
                yield from (text for value in given for text in _texts(value, tree, path) if text)


def _texts(value: ast.expr, tree: ast.AST, path: Path) -> Iterator[str | None]:
    match value:
        case ast.Constant(value=text):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "..." for part in parts)
        case ast.IfExp(body=one, orelse=other):
            yield from (*_texts(one, tree, path), *_texts(other, tree, path))
        case ast.Name(id=name):
            assigned = [
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Assign)
                and any(isinstance(each, ast.Name) and each.id == name for each in node.targets)
            ]
            if assigned:
                yield from (text for each in assigned for text in _texts(each, tree, path))
            elif name != "reason":  # what ``ignored`` itself was given
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                yield getattr(importlib.import_module(module), name)
        case _:
            raise AssertionError(f"{path.name}: a reason that is put together in a new way: {ast.unparse(value)}")


def documented() -> list[str]:
    """Give the reasons that docs/commerce.md explains."""
    section = COMMERCE.partition("\n## Reasons\n")[2]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return [reason for cell in cells for reason in re.findall("`([^`]+)`", cell)]


def _fits(reason: str, words: str) -> bool:
    pattern = "[a-z-]+".join(map(re.escape, reason.split("..."))) if reason.startswith("...") else re.escape(reason)
    return re.fullmatch(pattern, words) is not None


REASONS = sorted(set(reasons()))


def test_reasons_are_found():
    assert {"no-email", "erased", "...-unknown", "platform-error:...", "topic-ignored: ...", "topic-unknown"} <= set(
        REASONS
    )
    assert len(REASONS) > 20


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_explained(reason):
    assert [words for words in documented() if _fits(reason, words)]


def test_every_explained_reason_exists():
    assert [words for words in documented() if not any(_fits(reason, words) for reason in REASONS)] == []
    assert len(documented()) == len(set(documented()))


# Traps

TESTS = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", TRAPS)


def test_traps_name_tests():
    assert len(TESTS) > 150
    tables = "".join(line for line in TRAPS.splitlines() if line.startswith("|"))
    assert tables.count("tests/") == len(TESTS), "a test that is not written as `tests/...py::test_name`"


@pytest.mark.parametrize("path", sorted({path for path, _ in TESTS}))
def test_every_test_that_a_trap_names_exists(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert {name for of, name in TESTS if of == path} - there == set()


def test_every_trap_says_how_it_is_handled_and_names_a_test_or_why_there_is_none():
    rows = [row for row in re.findall(r"^\|(.+)\|$", TRAPS, re.MULTILINE) if "---" not in row]
    traps = [[cell.strip() for cell in row.split("|")] for row in rows if not row.startswith(" trap ")]
    assert len(traps) > 150
    assert [row for row in traps if len(row) != 3 or not all(row)] == []
    assert [row for row in traps if "::" not in row[2] and not row[2].startswith("none: ")] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
