"""Finding an event in a contact's card."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from relay.salesmanago.search import MISSING, NAMELESS, UNCLEAR, Search, find_in_card

SENT = {
    "date": 1767261600000,
    "contactExtEventType": "PURCHASE",
    "value": Decimal("249.90"),
    "products": "501,502",
    "externalId": "1001",
}
LISTED = {
    "eventId": "e-1",
    "date": 1767261600000,
    "contactExtEventType": "PURCHASE",
    "value": Decimal("249.9"),
    "products": "501,502",
    "externalId": "1001",
}
OTHER = {**LISTED, "eventId": "e-2", "externalId": "1002"}
WITHOUT_ID = {key: value for key, value in SENT.items() if key != "externalId"}
FOUND = Search(found=True, event_id="e-1")


def without(entry: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in keys}


@pytest.mark.parametrize(
    ("sent", "listed", "found"),
    [
        (SENT, [OTHER, LISTED], FOUND),
        (SENT, [], MISSING),
        (SENT, [OTHER], MISSING),
        (SENT, [{**LISTED, "contactExtEventType": "CART"}], MISSING),
        (SENT, [{**LISTED, "date": 1767261601000}], MISSING),
        (SENT, [{**LISTED, "externalId": 1001}], FOUND),
        (SENT, [{**LISTED, "date": "1767261600000"}], FOUND),
        # Stored in whole seconds; value and products are not asked when there is an external id.
        (SENT, [{**LISTED, "date": 1767261600999 - 500, "value": 1, "products": None}], FOUND),
        # The event's own id under its other name, or not at all.
        (SENT, [{**without(LISTED, "eventId"), "id": "e-1"}], FOUND),
        (SENT, [without(LISTED, "eventId")], NAMELESS),
        # The card says too little to tell.
        (SENT, None, UNCLEAR),
        (SENT, [without(LISTED, "externalId")], UNCLEAR),
        (SENT, [without(LISTED, "date")], UNCLEAR),
        (SENT, [{**LISTED, "date": "2026-01-01T10:00:00Z"}], UNCLEAR),
        (SENT, [{**LISTED, "date": "NaN"}], UNCLEAR),
        (SENT, [without(OTHER, "date")], MISSING),
        # Without an external id, value and products tell.
        (WITHOUT_ID, [LISTED], FOUND),
        (WITHOUT_ID, [{**LISTED, "value": Decimal("249.91")}], MISSING),
        (WITHOUT_ID, [{**LISTED, "products": "501"}], MISSING),
        (WITHOUT_ID, [without(LISTED, "value")], UNCLEAR),
        (without(WITHOUT_ID, "value", "products"), [without(LISTED, "value", "products")], FOUND),
        (without(WITHOUT_ID, "value", "products"), [{**LISTED, "value": None, "products": None}], FOUND),
        # Several of them: the value decides, if it can.
        (SENT, [{**LISTED, "eventId": "e-9", "value": 5}, LISTED], FOUND),
        (SENT, [{**LISTED, "eventId": "e-9"}, LISTED], NAMELESS),
        (SENT, ["nonsense", LISTED], FOUND),
    ],
)
def test_event_is_recognised_in_a_card(sent: dict[str, Any], listed: Any, found: Search) -> None:
    assert find_in_card({"contactExtEvents": listed}, sent) == found


def test_card_without_events_tells_nothing() -> None:
    assert find_in_card({"id": "c-1"}, SENT) == UNCLEAR


def test_found_without_a_usable_id_is_not_conclusive() -> None:
    assert (NAMELESS.found, NAMELESS.event_id, NAMELESS.conclusive) == (True, None, False)
