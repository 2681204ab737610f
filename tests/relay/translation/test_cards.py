from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from relay.commerce import Consent
from relay.translation.cards import card_values, consent_flags
from relay.translation.mapping import Fields
from relay.translation.versions import microseconds
from relay.translation.words import Said, Words

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
ANN = "ann@example.com"
NO_WORD = Consent()


def words(consent: Consent = NO_WORD, **values: Any) -> Words:
    said = Words({})
    said.add(Said(Fields(values=values), [microseconds(AT)], consent))
    return said


def test_a_card_has_the_newest_words_under_the_address_of_today() -> None:
    said = words(email="Ann@example.com", phone="1", properties={"size": "M"}, tags=["vip"], removeTags="old")
    said.add(Said(Fields(values={"phone": "2", "properties": {"size": "L"}}), [microseconds(AT) + 1]))
    assert card_values(said, ANN) == {
        "email": "Ann@example.com",
        "phone": "2",
        "properties": {"size": "L"},
        "tags": ["VIP"],
        "removeTags": ["OLD"],
    }
    assert card_values(words(), ANN) == {"email": ANN, "tags": [], "removeTags": []}


def test_consent_and_how_to_ask_for_it_are_no_standing_part_of_a_card() -> None:
    said = words(Consent(email=True), useApiDoubleOptIn=True)
    assert card_values(said, ANN) == {"email": ANN, "tags": [], "removeTags": []}


def test_only_consent_that_was_not_told_is_told() -> None:
    said = words(Consent(email=True, sms=False))
    consent = said.consent()
    assert consent_flags(said, consent, {}) == {"forceOptIn": True, "forcePhoneOptOut": True}
    assert consent_flags(said, consent, {"email": consent["email"]}) == {"forcePhoneOptOut": True}
    assert consent_flags(said, consent, consent) == {}
    changed = {"email": [False, microseconds(AT)], "sms": [False, microseconds(AT) - 1]}
    assert consent_flags(said, consent, changed) == {"forceOptIn": True, "forcePhoneOptOut": True}


def test_with_double_opt_in_a_yes_to_mails_is_asked_for_not_forced() -> None:
    said = words(Consent(email=True, sms=True), useApiDoubleOptIn=True)
    assert consent_flags(said, said.consent(), {}) == {"useApiDoubleOptIn": True, "forcePhoneOptIn": True}
    said = words(Consent(email=False), useApiDoubleOptIn=True)
    assert consent_flags(said, said.consent(), {}) == {"forceOptOut": True}
