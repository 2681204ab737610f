"""The reference for integrators is complete, and what it shows works."""

import dataclasses
import re
import shutil
from pathlib import Path

import pytest
from marshmallow import fields

from relay.translation.filters import FILTERS, TESTS
from relay.translation.loading import load_mappings
from relay.translation.names import NAMES, RECORDS, VIEWS
from schemas.catalog import FeedItemSchema, ProductSchema
from schemas.mapping import PROPERTIES, TARGETS
from schemas.salesmanago import EVENT_LIMITS, EVENT_TYPES, ContactSchema

FOLDER = Path(__file__).parents[2] / "mappings"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)


def section(title: str) -> str:
    found = re.search(rf"^(##+) {re.escape(title)}\n(.*?)(?=^\1 |\Z)", README, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[2]


def row(text: str, name: str) -> list[str]:
    """Give the cells of the table row whose first cell names ``name``."""
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in rows]
    named = [cell for cell in cells if re.search(rf"`{re.escape(name)}[`(]", cell[0])]
    assert len(named) == 1, f"{name} has {len(named)} rows"
    return named[0]


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_every_filter_is_documented_with_an_example_that_uses_it(name: str) -> None:
    cells = row(section("Filters"), name)
    names = "|".join(re.findall(r"`(\w+)", cells[0]))
    assert re.search(rf"\\\| ({names})\b", cells[2])


def test_no_filter_is_documented_that_does_not_exist() -> None:
    lines = [line for line in section("Filters").splitlines() if line.startswith("| `")]
    documented = {name for line in lines for name in re.findall(r"`(\w+)", line.split("|")[1])}
    assert documented == set(FILTERS)


@pytest.mark.parametrize("name", sorted(TESTS))
def test_every_test_is_documented(name: str) -> None:
    assert row(section("Tests"), name)


@pytest.mark.parametrize("name", sorted({name for names in NAMES.values() for name in names}))
def test_every_name_is_documented(name: str) -> None:
    assert row(section("Names"), name)


@pytest.mark.parametrize("record", [*RECORDS, *VIEWS])
def test_every_field_of_every_record_is_documented(record: type) -> None:
    word = record.__name__.removesuffix("View").lower()
    known = {"line": "lines", "address": "customer.address", "consent": "customer.consent", "refund": "order.refunds"}
    cells = row(section("Names"), known.get(word, word))
    described = cells[2].replace("`product`, `variant` or `sku`", "")
    assert re.findall(r"`(\w+)`", described) == [field.name for field in dataclasses.fields(record)]


@pytest.mark.parametrize("table", sorted(NAMES))
def test_every_table_is_documented(table: str) -> None:
    assert f"`[{table}]`" in section("Tables")


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_every_event_type_is_documented(event_type: str) -> None:
    assert f"`{event_type}`" in section("Tables")


def limit(field: fields.Field) -> str | None:  # type: ignore[type-arg]  # of any type
    number = getattr(field, "limit", None)
    return None if number is None else str(number)


@pytest.mark.parametrize("name", [*TARGETS["contact"], PROPERTIES])
def test_every_contact_field_is_documented_with_its_limit(name: str) -> None:
    assert (limit(ContactSchema().fields[name]) or "") in row(section("`[contact]` and `[api.contacts]`"), name)[1]


@pytest.mark.parametrize("name", sorted({*TARGETS["event"], *TARGETS["api.events"]}))
def test_every_event_field_is_documented_with_its_limit(name: str) -> None:
    cell = row(section("`[event]` and `[api.events]`"), name)[1]
    assert str(EVENT_LIMITS.get(name, "")) in cell


@pytest.mark.parametrize("name", TARGETS["product"])
def test_every_product_field_is_documented_with_both_limits(name: str) -> None:
    cells = row(section("`[product]` and `[api.products]`"), name)
    assert (limit(ProductSchema().fields[name]) or "") in cells[1]
    if name in FeedItemSchema().fields:
        assert (limit(FeedItemSchema().fields[name]) or "") in cells[2]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_loads(tmp_path: Path, example: str) -> None:
    shutil.copy(FOLDER / "default.toml", tmp_path)
    (tmp_path / "example.toml").write_text(example, encoding="utf-8")
    assert load_mappings(tmp_path, ["example"])["example"].name == "example"


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


def test_every_filter_example_is_right(tmp_path: Path) -> None:
    examples = [text for name in FILTERS for text in re.findall(r"`([^`]+)`", row(section("Filters"), name)[2])]
    for number, text in enumerate(examples):
        shown = text.replace("\\|", "|")
        place = (
            f"product.detail{number % 5 + 1}" if re.search(r"\bproduct\.", shown) else f"event.detail{number % 20 + 1}"
        )
        # A record's list is no value of a field, so it is counted.
        value = f"({shown}) | length" if re.match(r"lines \| (select|reject|sort)", shown) else shown
        (tmp_path / f"example{number}.toml").write_text(f'{place} = """{{{{ {value} }}}}"""', encoding="utf-8")
    assert len(load_mappings(tmp_path, [f"example{number}" for number in range(len(examples))])) == len(examples)
