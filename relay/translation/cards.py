"""From what has been said about a person to the fields of their card in SALESmanago."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay.translation.words import CHANNELS, EMAIL, Words
from schemas.mapping import PROPERTIES

_DOUBLE = "useApiDoubleOptIn"


def card_values(words: Words, address: str) -> dict[str, Any]:
    """Give the flat target names with their newest values; consent is no standing part of a contact."""
    values: dict[str, Any] = {EMAIL: address}
    for target, (value, _) in words.fields.items():
        if target.startswith(f"{PROPERTIES}."):
            values.setdefault(PROPERTIES, {})[target.partition(".")[2]] = value
        elif target != _DOUBLE:
            values[target] = value
    values["tags"] = sorted(tag for tag, (is_set, _) in words.tags.items() if is_set)
    values["removeTags"] = sorted(tag for tag, (is_set, _) in words.tags.items() if not is_set)
    return values


def consent_flags(words: Words, consent: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, bool]:
    """Give the part of the words' ``consent`` that SALESmanago was not ``told``, as its force flags."""
    flags: dict[str, bool] = {}
    for channel, (given, since) in consent.items():
        if channel in told and told[channel][0] == given and since <= told[channel][1]:
            continue
        opt_in, opt_out = CHANNELS[channel]
        # With double opt-in the confirmation mail asks; forcing the status would answer for the person.
        double = channel == "email" and given and bool(words.fields.get(_DOUBLE, [False])[0])
        flags[_DOUBLE if double else opt_in if given else opt_out] = True
    return flags
