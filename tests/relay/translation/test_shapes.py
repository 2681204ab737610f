from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from relay.commerce import Line, Order, Product
from relay.translation.names import RECORDS, VIEWS
from relay.translation.shapes import ANYTHING, SINGLE, Items, RecordOf, Table, item_of, merged, shape_of, shape_of_field


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [
        (Any, ANYTHING),
        (str | None, SINGLE),
        (datetime, SINGLE),
        (tuple[str, ...], Items(SINGLE)),
        (tuple[Line, ...], Items(RecordOf((Line,)))),
        (Mapping[str, str], Table(SINGLE)),
        (Order | None, RecordOf((Order,))),
    ],
)
def test_annotations_tell_shapes(annotation: Any, shape: Any) -> None:
    assert shape_of(annotation) == shape


def test_fields_of_records_have_the_shapes_of_their_annotations() -> None:
    assert shape_of_field(Order, "total") == SINGLE
    assert shape_of_field(Product, "attributes") == Table(SINGLE)


@pytest.mark.parametrize("record", [*RECORDS, *VIEWS])
def test_every_record_that_can_be_reached_can_be_looked_into(record: type) -> None:
    assert shape_of(record) == RecordOf((record,))


def test_a_choice_between_records_keeps_both_and_any_other_choice_tells_nothing() -> None:
    assert merged(RecordOf((Order,)), RecordOf((Line,))) == RecordOf((Order, Line))
    assert merged(SINGLE, SINGLE) == SINGLE
    assert merged(SINGLE, Items(SINGLE)) == ANYTHING


def test_only_lists_tell_of_their_items() -> None:
    assert item_of(Items(SINGLE)) == SINGLE
    assert item_of(SINGLE) == ANYTHING
