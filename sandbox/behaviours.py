"""What the simulator does, and how sure that is. Whatever is not documented has alternatives that can be switched on.

The basis of each line: DOCUMENTED was read in SALESmanago's own pages or code, THIRD_PARTY in other people's clients
and notes, INFERRED nowhere. A client that works with every alternative does not depend on a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Basis(StrEnum):
    """Where a behaviour is known from."""

    DOCUMENTED = "documented"
    THIRD_PARTY = "third-party"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour. ``options`` are its alternatives, the default first; none where there is nothing to switch."""

    name: str
    basis: Basis
    says: str
    options: tuple[str, ...] = ()


def _documented(name: str, says: str) -> Behaviour:
    return Behaviour(name, Basis.DOCUMENTED, says)


def _third_party(name: str, says: str, *options: str) -> Behaviour:
    return Behaviour(name, Basis.THIRD_PARTY, says, options)


def _inferred(name: str, says: str, *options: str) -> Behaviour:
    return Behaviour(name, Basis.INFERRED, says, options)


BEHAVIOURS: tuple[Behaviour, ...] = (
    # API v2: the envelope
    _documented("sha", "sha is the lower-case hex SHA-1 of apiKey, clientId and apiSecret; requestTime is not hashed"),
    _documented("success_flag", "a refusal is HTTP 200 with success:false and a list of texts in message"),
    _documented("malformed_json", "a body that is not JSON answers 400"),
    _inferred("auth_status", "HTTP status of refused credentials", "200", "401", "403"),
    _inferred("auth_text", "which text refused credentials get", "Not authenticated", "User not authenticated"),
    _inferred("request_time", "what requestTime may be", "integer", "milliseconds", "digits"),
    _third_party("missing_owner", "a call without owner", "refuse", "accept"),
    _third_party("unknown_owner", "an owner who is no user of the account", "refuse", "accept"),
    _inferred("unknown_fields", "v2 JSON keys that no documentation names", "ignore", "malformed"),
    _inferred("over_limit", "v2 texts that are too long", "refuse", "cut", "store"),
    _inferred("over_precise_amount", "amounts with more than two decimals, v2 and v3", "refuse", "round"),
    # API v2: contacts
    _documented("one_card", "one e-mail address, compared in lower case, is one contact; its contactId never changes"),
    _documented("no_phone_only", "a contact cannot be created without an e-mail address"),
    _documented(
        "new_contact_opted_out", "without force flags a known contact keeps its status and a new one is opted out"
    ),
    _documented("opt_in_after_opt_out", "an opt-in acts only where the opt-out beside it is not set"),
    _documented("tags", "tags are stored in upper case, blanks as underscores"),
    _documented("batch_double_opt_in", "batch upserts send confirmation mails unless told not to"),
    _documented("list_size", "at most 50 contacts per list call"),
    _documented("list_owner", "list and listById give the owner's contacts, listAll and listAllById everybody's"),
    _inferred("empty_field", "an empty or null contact field", "unchanged", "clears"),
    _inferred("insert_existing", "insert of a contact that exists", "refuse", "update"),
    _inferred("update_missing", "update of a contact that does not exist", "refuse", "create"),
    _inferred("email_change_taken", "newEmail belongs to another contact", "refuse", "keep_both"),
    _inferred("email_change_repeated", "newEmail exists and the old address does not", "update", "create_old"),
    _inferred("delete_unknown_contact", "delete of an unknown address", "refuse", "accept"),
    _third_party("delete_result", "result of a contact delete", "null", "text", "empty_body"),
    _inferred("batch_upsert_bad_item", "a batch upsert with an item that cannot be used", "skip", "refuse_all"),
    _third_party("batch_upsert_size", "more than 1000 contacts in one batch upsert", "refuse", "accept"),
    _inferred("job_request_id", "type of batchupsertv2's requestId", "number", "text"),
    _inferred("job_status", "job/status right after batchupsertv2", "done", "running_once"),
    # API v2: events
    _documented("event_types", "event types are upper case; the integration's list and what SALESmanago added since"),
    _documented("event_batch_size", "1 to 1000 events per batch"),
    _documented("event_never_creates_contact", "adding an event never creates a contact"),
    _documented("integration_parts", "integration/upsert takes a contact, an event or both"),
    _documented("event_eventId", "an eventId inside contactEvent of integration/upsert modifies that event"),
    _inferred("integration_refused_event", "what is done of a good contact with a bad event", "nothing", "contact"),
    _third_party("event_duplicates", "two adds with one externalId are two events"),
    _third_party("event_update", "what an update does to fields it does not name", "replace", "merge"),
    _inferred("event_unknown_contact", "an event for an unknown contact", "refuse", "silent", "create_when_forced"),
    _third_party("event_update_unknown", "update of an unknown eventId", "refuse", "silent"),
    _third_party("event_update_by_external_id", "update with externalId instead of eventId", "refuse", "accept"),
    _inferred("event_delete_unknown", "delete of an unknown event", "refuse", "accept"),
    _third_party("event_delete_by_external_id", "delete with externalId instead of eventId", "accept", "refuse"),
    _inferred("event_both_ids", "an event with email and contactId", "contact_id_wins", "refuse"),
    _inferred("event_wrong_type", "a contactExtEventType that does not exist", "malformed", "refuse"),
    _inferred("event_empty", "an event with neither products nor value", "accept", "refuse"),
    _inferred("event_location_form", "a location of other characters than a-z, A-Z, 0-9, / _ - .", "refuse", "accept"),
    _inferred("event_iso_date", "an ISO 8601 date on a path with v2; older paths take it", "malformed", "accept"),
    _inferred("card_event_key", "name of the event id in a card's contactExtEvents", "eventId", "id", "absent"),
    # API v3
    _documented(
        "v3_reason_codes", "10 to 19; 12, a trimmed value, is a warning with HTTP 200, the rest refuse with 400"
    ),
    _documented("v3_product_count", "1 to 100 products per call"),
    _documented("v3_required", "productId, name and mainCategory are required"),
    _documented("v3_set_as_null", "setAsNull clears the fields it names"),
    _documented("v3_location", "a catalogue's location is a word of 3 to 36 letters, digits and underscores"),
    _documented("v3_catalog_limit", "an account has a largest number of catalogues"),
    _inferred("v3_refusal_status", "HTTP status of the reason codes 16 to 19", "400", "404", "422"),
    _inferred("bad_product", "one bad product among good ones", "refuse_all", "accept_good"),
    _inferred("over_long_product_text", "description, brand and the like when too long", "trim", "refuse"),
    _inferred("disputed_product_limits", "limits where sources disagree: productId, color, season", "wide", "narrow"),
    _inferred("absent_product_field", "fields a product upsert does not name", "unchanged", "cleared"),
    _inferred("unknown_product", "updateQuantity and updatePrice of an unknown product", "refuse", "ignore"),
    _inferred("catalog_location_twice", "a second catalogue with the same location", "refuse", "accept"),
)


class Switches:
    """Which option of each switchable behaviour is on."""

    def __init__(self) -> None:
        self._options: Mapping[str, tuple[str, ...]] = {item.name: item.options for item in BEHAVIOURS if item.options}
        self._on: dict[str, str] = {}
        self.clear()

    def __getitem__(self, name: str) -> str:
        return self._on[name]

    def turn(self, wanted: Mapping[str, str]) -> None:
        """Turn switches; raises ValueError, and turns none, when a name or an option does not exist."""
        for name, option in wanted.items():
            if name not in self._options:
                raise ValueError(f"there is no switch {name}; the switches are {', '.join(sorted(self._options))}")
            if option not in self._options[name]:
                raise ValueError(f"{name} has no option {option}; choose {' or '.join(self._options[name])}")
        self._on.update(wanted)

    def clear(self) -> None:
        """Turn everything back to its default."""
        self._on = {name: options[0] for name, options in self._options.items()}

    def changed(self) -> dict[str, str]:
        """Give the switches that are not at their default."""
        return {name: option for name, option in self._on.items() if option != self._options[name][0]}

    def as_dict(self) -> dict[str, str]:
        """Give every switch with the option that is on."""
        return dict(self._on)
