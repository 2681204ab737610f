"""The contact as SALESmanago takes it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from relay.errors import PayloadInvalid
from schemas.salesmanago import contact_payload

UNSAID = {
    "forceOptIn": False,
    "forceOptOut": False,
    "forcePhoneOptIn": False,
    "forcePhoneOptOut": False,
    "useApiDoubleOptIn": False,
}
ANNA = {"email": "anna@example.com"}


def test_full_contact_stands_where_salesmanago_looks_for_it() -> None:
    shaped = contact_payload(
        {
            "email": "anna@example.com",
            "newEmail": "fresh@example.com",
            "name": " Anna Example ",
            "phone": "+48500100200",
            "fax": "1",
            "company": "Example Ltd",
            "externalId": 1001,
            "state": "customer",
            "streetAddress": "Main Street 1/2",
            "zipCode": "00-001",
            "city": "Warsaw",
            "country": "PL",
            "province": "Mazowieckie",
            "birthday": date(1980, 10, 17),
            "lang": "pl",
            "tags": ["vip"],
            "removeTags": "prospect old",
            "properties": {"favourite_shop": "Warsaw 1"},
            "forceOptIn": True,
            "consentDetails": [
                {
                    "consentName": "TERMS",
                    "consentAccept": True,
                    "agreementDate": datetime(2026, 1, 1, tzinfo=UTC),
                    "ip": "203.0.113.7",
                }
            ],
        }
    )
    assert shaped.payload == {
        "contact": {
            "email": "anna@example.com",
            "name": "Anna Example",
            "phone": "+48500100200",
            "fax": "1",
            "company": "Example Ltd",
            "externalId": "1001",
            "state": "CUSTOMER",
            "address": {
                "streetAddress": "Main Street 1/2",
                "zipCode": "00-001",
                "city": "Warsaw",
                "country": "PL",
            },
        },
        "newEmail": "fresh@example.com",
        **UNSAID,
        "forceOptIn": True,
        "tags": ["VIP"],
        "removeTags": ["PROSPECT_OLD"],
        "properties": {"favourite_shop": "Warsaw 1"},
        "birthday": "19801017",
        "province": "Mazowieckie",
        "lang": "PL",
        "consentDetails": [
            {"consentName": "TERMS", "consentAccept": True, "agreementDate": 1767225600000, "ip": "203.0.113.7"}
        ],
    }
    assert shaped.warnings == ()


def test_consent_flags_are_explicit_and_empty_values_are_left_out() -> None:
    shaped = contact_payload(
        {
            **ANNA,
            "name": "  ",
            "phone": None,
            "tags": ["", None],
            "properties": {"a": "", "b": None},
            "city": "",
            "consentDetails": [],
        }
    )
    assert shaped.payload == {"contact": ANNA, **UNSAID}
    assert shaped.warnings == ()


def test_zero_and_false_are_values() -> None:
    shaped = contact_payload({**ANNA, "name": 0, "properties": {"points": 0, "member": False, "rate": Decimal("1.50")}})
    assert shaped.payload["contact"]["name"] == "0"
    assert shaped.payload["properties"] == {"points": "0", "member": "false", "rate": "1.50"}


@pytest.mark.parametrize("field", ["name", "phone", "fax", "company", "streetAddress", "zipCode", "city", "country"])
def test_long_text_is_cut_with_a_warning_that_keeps_the_value_to_itself(field: str) -> None:
    shaped = contact_payload({**ANNA, field: "q" * 256})
    contact = shaped.payload["contact"]
    assert {**contact, **contact.get("address", {})}[field] == "q" * 255
    assert shaped.warnings == (f"{field}: cut from 256 to 255 characters.",)


def test_province_and_properties_are_cut_at_255() -> None:
    shaped = contact_payload({**ANNA, "province": "q" * 255, "properties": {"note": "q" * 300}})
    assert (len(shaped.payload["province"]), len(shaped.payload["properties"]["note"])) == (255, 255)
    assert shaped.warnings == ("properties.note: cut from 300 to 255 characters.",)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("New Customer", ["NEW_CUSTOMER"]),
        (["a", "A", "b  c"], ["A", "B_C"]),
        (("shop", ("x", "y")), ["SHOP", "X", "Y"]),
        (["ü " + "q" * 300], ["Ü_" + "Q" * 253]),
        ([7], ["7"]),
    ],
)
def test_tags_are_spelt_as_salesmanago_stores_them(given: Any, sent: list[str]) -> None:
    assert contact_payload({**ANNA, "tags": given}).payload["tags"] == sent


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (date(1980, 10, 17), "19801017"),
        ("1980-10-17", "19801017"),
        ("19801017", "19801017"),
        ("1017", "1017"),
        ("17.10.1980", None),
        ("19801317", None),
    ],
)
def test_birthday_is_sent_in_salesmanagos_form_or_left_out(given: Any, sent: str | None) -> None:
    shaped = contact_payload({**ANNA, "birthday": given})
    assert shaped.payload.get("birthday") == sent
    assert bool(shaped.warnings) == (sent is None)


@pytest.mark.parametrize(
    ("given", "sent"), [("de", "DE"), ("pl-PL", "PL"), ("pt_BR", "PT"), ("fil", None), ("german", None)]
)
def test_language_is_two_capital_letters_or_left_out(given: str, sent: str | None) -> None:
    shaped = contact_payload({**ANNA, "lang": given})
    assert shaped.payload.get("lang") == sent
    assert bool(shaped.warnings) == (sent is None)


def test_unknown_state_is_left_out_with_a_warning() -> None:
    shaped = contact_payload({**ANNA, "state": "LEAD"})
    assert "state" not in shaped.payload["contact"]
    assert shaped.warnings == ("state: left out, not one of CUSTOMER, OTHER, PARTNER, PROSPECT, UNKNOWN.",)


@pytest.mark.parametrize(
    ("opt_in", "opt_out"), [("forceOptIn", "forceOptOut"), ("forcePhoneOptIn", "forcePhoneOptOut")]
)
def test_opt_out_wins_over_opt_in(opt_in: str, opt_out: str) -> None:
    shaped = contact_payload({**ANNA, opt_in: True, opt_out: True})
    assert (shaped.payload[opt_in], shaped.payload[opt_out]) == (False, True)
    assert shaped.warnings == (f"{opt_in}: left out, since {opt_out} is set too.",)


def test_new_address_equal_to_the_old_one_is_left_out() -> None:
    assert "newEmail" not in contact_payload({**ANNA, "newEmail": "Anna@Example.com"}).payload


LOCAL_64, LOCAL_65 = "a" * 64 + "@example.com", "a" * 65 + "@example.com"
LABELS = ".".join(["d" * 60] * 4)


@pytest.mark.parametrize(
    "email", ["a@example.com", "żółw@example.com", "a+b@sub.example.com", LOCAL_64, "a@" + LABELS[:240] + ".example"]
)
def test_address_within_the_limits_is_taken(email: str) -> None:
    assert contact_payload({"email": f" {email} "}).payload["contact"]["email"] == email


@pytest.mark.parametrize(
    "email", ["anna", "anna@", "@example.com", "a b@example.com", "a@b@c", LOCAL_65, "a@" + LABELS + ".exam.plea"]
)
@pytest.mark.parametrize("field", ["email", "newEmail"])
def test_address_that_cannot_be_one_is_refused_by_name(field: str, email: str) -> None:
    with pytest.raises(PayloadInvalid) as caught:
        contact_payload({**ANNA, field: email})
    assert str(caught.value).startswith(f"{field}: ")
    assert email not in str(caught.value)


@pytest.mark.parametrize("email", ["", " ", None])
def test_contact_without_an_address_is_refused(email: str | None) -> None:
    with pytest.raises(PayloadInvalid, match=r"^email: "):
        contact_payload({"name": "Anna", "email": email})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("externalId", "7" * 256),
        ("name", ["Anna", "Example"]),
        ("name", {"first": "Anna"}),
        ("forceOptIn", "perhaps"),
        ("properties", ["a"]),
        ("properties.sizes", {"sizes": ["M", "L"]}),
        ("consentDetails.0.consentName", [{"consentAccept": True}]),
    ],
)
def test_what_may_not_be_cut_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(PayloadInvalid, match=f"^{field}: "):
        contact_payload({**ANNA, field.partition(".")[0]: value})


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(PayloadInvalid, match=r"email: .* externalId: "):
        contact_payload({"email": "x", "externalId": "7" * 256})


def test_characters_that_no_json_or_xml_can_carry_are_dropped() -> None:
    shaped = contact_payload({**ANNA, "name": "A\x00n\ud800na\x0b", "company": "\x00\x01"})
    assert shaped.payload["contact"] == {**ANNA, "name": "Anna"}


def test_warnings_of_one_contact_do_not_reach_the_next() -> None:
    assert contact_payload({**ANNA, "name": "q" * 300}).warnings
    assert contact_payload(ANNA).warnings == ()
