"""The event as SALESmanago takes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from relay.errors import PayloadInvalid
from schemas.salesmanago import EVENT_LIMITS, EVENT_TYPES, event_payload

DATE = datetime(2026, 1, 1, tzinfo=UTC)
LEAST = {"date": DATE, "contactExtEventType": "PURCHASE"}


def test_full_event_keeps_every_field() -> None:
    details = {f"detail{number}": f"d{number}" for number in range(1, 21)}
    fields = {
        **LEAST,
        "description": "card",
        "products": "501,502",
        "value": "249.9",
        "location": "acme_shop",
        "externalId": 1001,
        "shopDomain": "acme.example",
        **details,
    }
    shaped = event_payload(fields)
    assert shaped.payload == {**fields, "date": 1767225600000, "value": Decimal("249.90"), "externalId": "1001"}
    assert shaped.warnings == ()


def test_names_of_other_bodies_are_left_out() -> None:
    assert event_payload({**LEAST, "email": "anna@example.com", "detail21": "x"}).payload.keys() == LEAST.keys()


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_every_known_type_is_taken(event_type: str) -> None:
    assert event_payload({"date": DATE, "contactExtEventType": event_type}).payload["contactExtEventType"] == event_type


@pytest.mark.parametrize("event_type", ["purchase", "Purchase", "REFUND", 7, None])
def test_unknown_type_is_refused(event_type: Any) -> None:
    with pytest.raises(PayloadInvalid, match=r"^contactExtEventType: "):
        event_payload({"date": DATE, "contactExtEventType": event_type})


CUT = ["description", "shopDomain", *(f"detail{number}" for number in range(1, 21))]


@pytest.mark.parametrize("field", CUT)
def test_long_text_is_cut_at_its_limit(field: str) -> None:
    limit = EVENT_LIMITS[field]
    assert event_payload({**LEAST, field: "q" * limit}).warnings == ()
    shaped = event_payload({**LEAST, field: "q" * (limit + 1)})
    assert shaped.payload[field] == "q" * limit
    assert shaped.warnings == (f"{field}: cut from {limit + 1} to {limit} characters.",)


def test_limits_are_the_documented_ones() -> None:
    assert {name: EVENT_LIMITS[name] for name in ("description", "products", "location", "externalId", "detail20")} == {
        "description": 2048,
        "products": 512,
        "location": 36,
        "externalId": 255,
        "detail20": 255,
    }


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("1" * 512, "1" * 512),
        (",".join(["1234567"] * 64), ",".join(["1234567"] * 64)),  # 511 characters
        (",".join(["1234567"] * 65), ",".join(["1234567"] * 64)),
        ("1" * 512 + ",2", "1" * 512),
        ("1" * 513, None),
    ],
)
def test_product_ids_are_cut_between_two_of_them(given: str, sent: str | None) -> None:
    shaped = event_payload({**LEAST, "products": given})
    assert shaped.payload.get("products") == sent
    assert bool(shaped.warnings) == (given != sent)


@pytest.mark.parametrize(
    ("given", "sent", "rounded"),
    [
        (Decimal("249.9"), "249.90", False),
        (Decimal("1.005"), "1.01", True),
        (Decimal("1.004"), "1.00", True),
        (Decimal("-1.005"), "-1.01", True),
        (Decimal("-0.001"), "0.00", True),
        (Decimal("1E+2"), "100.00", False),
        ("12.50", "12.50", False),
        (0, "0.00", False),
        (Decimal("9" * 19 + ".99"), "9" * 19 + ".99", False),
    ],
)
def test_value_has_two_decimals_rounded_half_up(given: Any, sent: str, rounded: bool) -> None:
    shaped = event_payload({**LEAST, "value": given})
    assert str(shaped.payload["value"]) == sent
    assert shaped.warnings == (("value: rounded to two decimals.",) if rounded else ())


@pytest.mark.parametrize("value", ["1" * 20, Decimal("1e20"), "twelve", "NaN", Decimal("Infinity"), 1.5, True, [1]])
def test_value_that_is_no_exact_amount_is_refused(value: Any) -> None:
    with pytest.raises(PayloadInvalid, match=r"^value: "):
        event_payload({**LEAST, "value": value})


@pytest.mark.parametrize("location", ["acme_shop", "Acme.Shop-1/2", "q" * 36])
def test_location_within_the_pattern_is_taken(location: str) -> None:
    assert event_payload({**LEAST, "location": location}).payload["location"] == location


@pytest.mark.parametrize("location", ["q" * 37, "acme shop", "żółw", "a,b"])
def test_location_outside_the_pattern_is_refused(location: str) -> None:
    with pytest.raises(PayloadInvalid, match=r"^location: "):
        event_payload({**LEAST, "location": location})


def test_long_external_id_is_refused_since_half_of_one_is_another() -> None:
    assert event_payload({**LEAST, "externalId": "7" * 255}).payload["externalId"] == "7" * 255
    with pytest.raises(PayloadInvalid, match=r"^externalId: Has 256 characters"):
        event_payload({**LEAST, "externalId": "7" * 256})


@pytest.mark.parametrize(
    "date",
    [
        DATE,
        datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        "2026-01-01T00:00:00Z",
        "2026-01-01T02:00:00+02:00",
    ],
)
def test_date_becomes_milliseconds(date: Any) -> None:
    assert event_payload({**LEAST, "date": date}).payload["date"] == 1767225600000


@pytest.mark.parametrize("date", [None, datetime(2026, 1, 1), "2026-01-01 00:00:00", "soon", 1767225600000])  # noqa: DTZ001
def test_date_without_an_offset_is_refused(date: Any) -> None:
    with pytest.raises(PayloadInvalid, match=r"^date: "):
        event_payload({**LEAST, "date": date})
