"""The house: who may import whom, where each library lives, and how long a module may be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("app.py", "cli", "handlers", "schemas", "relay", "sandbox")

# A part may import from itself and from those it names; ``vocabulary`` is every module directly in relay/.
MAY_IMPORT = {
    "vocabulary": set(),
    "schemas": {"vocabulary"},
    "relay.store": {"vocabulary", "schemas"},
    "relay.translation": {"vocabulary", "schemas"},
    "relay.salesmanago": {"vocabulary", "schemas"},
    "relay.worker": {"vocabulary", "schemas", "relay.store", "relay.translation", "relay.salesmanago"},
    "handlers": {"vocabulary", "schemas", "relay.store", "relay.translation", "relay.salesmanago", "relay.worker"},
    # The simulator plays the other side; sharing our schemas or client would let both be wrong alike.
    "sandbox": {"vocabulary"},
}
# Commands reach the parts through the app they run in, as requests do; app.py is on top and adds both to it.
MAY_IMPORT["cli"] = MAY_IMPORT["handlers"] | {"handlers", "sandbox"}
MAY_IMPORT["app"] = MAY_IMPORT["handlers"] | {"handlers", "cli"}

HOMES = {
    "flask": {"app", "cli", "handlers", "sandbox"},
    "flask_smorest": {"app", "handlers"},
    "werkzeug": {"app", "cli", "handlers", "sandbox"},
    "sqlalchemy": {"relay.store"},
    "alembic": {"relay.store"},
    "psycopg": {"relay.store"},
    "requests": {"relay.salesmanago", "cli"},
    "urllib3": {"relay.salesmanago"},
}

LONGEST = 250
LONGEST_EXCEPTION = 400
LONGER = set()
"""Modules that one thought keeps together, up to ``LONGEST_EXCEPTION`` lines."""


def _module_files():
    for part in PARTS:
        path = ROOT / part
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def _name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {_name(path): path for path in _module_files()}


def _imports(name, path):
    """Give the absolute name of everything a module imports, wherever in it the import stands."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [base])])
            # "from relay import demo" imports a module, "from relay.shops import Shop" a name in one.
            yield from (f"{base}.{alias.name}" if f"{base}.{alias.name}" in FILES else base for alias in node.names)


IMPORTS = {name: set(_imports(name, path)) for name, path in FILES.items()}


def part_of(module):
    """Give the part of the house a module of ours belongs to."""
    top, _, rest = module.partition(".")
    if top != "relay":
        return top
    package = f"relay.{rest.partition('.')[0]}"
    return package if package in MAY_IMPORT else "vocabulary"


def test_every_part_of_the_house_was_read():
    assert {part_of(name) for name in FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_point_one_way(part):
    allowed = MAY_IMPORT[part] | {part}
    wrong = [
        f"{name} imports {imported}"
        for name, imports in IMPORTS.items()
        for imported in sorted(imports & FILES.keys())
        if part_of(name) == part and part_of(imported) not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("library", HOMES)
def test_libraries_stay_at_home(library):
    wrong = [
        f"{name} imports {imported}"
        for name, imports in IMPORTS.items()
        for imported in sorted(imports)
        if imported.partition(".")[0] == library and part_of(name) not in HOMES[library]
    ]
    assert wrong == []


def test_no_module_of_the_product_imports_a_test():
    assert [
        name for name, imports in IMPORTS.items() if any(each.partition(".")[0] == "tests" for each in imports)
    ] == []


def test_no_modules_import_each_other_in_a_circle():
    graph = {name: sorted(imports & FILES.keys() - {name}) for name, imports in IMPORTS.items()}
    assert _circle(graph) is None


def _circle(graph):
    """Give the first circle found, None when there is none: modules without open imports are taken away in turn."""
    left = {name: set(imports) for name, imports in graph.items()}
    while free := [name for name, imports in left.items() if not imports & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left) or None


def test_the_circle_test_finds_circles():
    assert _circle({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}) is not None
    assert _circle({"a": ["b"], "b": ["c"], "c": []}) is None


@pytest.mark.parametrize("name", FILES)
def test_modules_stay_short(name):
    lines = len(FILES[name].read_text(encoding="utf-8").splitlines())
    assert lines <= (LONGEST_EXCEPTION if name in LONGER else LONGEST)


def test_only_modules_that_are_long_are_excused():
    assert FILES.keys() >= LONGER
    assert [name for name in LONGER if len(FILES[name].read_text(encoding="utf-8").splitlines()) <= LONGEST] == []


@pytest.mark.parametrize("name", FILES)
def test_modules_say_what_they_are_for(name):
    tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
    if tree.body:
        assert ast.get_docstring(tree)
