"""The client of a SALESmanago account: sends commands, reads cards, looks for events whose answer was lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relay.clock import Clock
from relay.commands import CommandKind, StoredCommand
from relay.errors import CatalogRefused, SettingsRefused, TemporaryFailure
from relay.salesmanago.auth import JSON_HEADERS, v2_request, v3_headers
from relay.salesmanago.calls import Call, call_for, call_for_pair, card_call
from relay.salesmanago.catalogs import Catalogs, catalog_access, configured_id
from relay.salesmanago.replies import Answer, Body, read_v2, read_v3
from relay.salesmanago.search import MISSING, UNCLEAR, Search, find_in_card
from relay.salesmanago.transport import Transport
from relay.shops import Group

MAX_PRODUCTS = 100
USER_AGENT = "salesmanago-relay"

_UNKNOWN_RESOURCE = 16


class Client:
    """Talks to SALESmanago for every group. Safe for threads; one for the whole process is enough."""

    def __init__(
        self,
        clock: Clock,
        *,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 30.0,
        pool_size: int = 10,
        user_agent: str = USER_AGENT,
    ) -> None:
        self._clock = clock
        self._transport = Transport(
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=read_timeout_s,
            pool_size=pool_size,
            user_agent=user_agent,
        )
        self._catalogs = Catalogs(self._transport, clock)

    def close(self) -> None:
        """Close every pooled connection."""
        self._transport.close()

    def send(self, group: Group, batch: Sequence[StoredCommand]) -> Answer:
        """Carry out one command, a contact's upsert and an event of the same contact, or up to 100 product upserts of
        one location, in one call.

        A pair's answer has the contact's id, which is both commands', and the event's. Its refusal does not tell which
        of the two was refused; sent singly they will. Raises: DispatchError subclasses; CatalogRefused tells the
        products that were refused by their place in ``batch``; ValueError when ``batch`` cannot be one call.
        """
        if batch[0].kind is CommandKind.PRODUCT_UPSERT:
            return self._send_products(group, batch)
        call: Call | None
        match batch:
            case [command]:
                call = call_for(command)
            case [upsert, command]:
                call = call_for_pair(upsert, command)
            case _:
                raise ValueError("Only products, and a contact with its event, share a call.")
        if call is None:
            return Answer(message="Nothing to delete: SALESmanago never had this event.")
        return self._send_call(group, call, command)

    def find_event(self, group: Group, command: StoredCommand) -> Search:
        """Look for an event whose answer was lost in its contact's card: no contact, no event.

        Raises: DispatchError subclasses.
        """
        if not command.contact_id and not command.email:
            return UNCLEAR
        card = self._card(group, card_call(contact_id=command.contact_id, email=command.email))
        if card is None:
            return MISSING
        sent = (command.payload, *command.rivals)
        searches = [find_in_card(card, payload["contactEvent"]) for payload in sent]
        found = next((search for search in searches if search.found), None)
        return found or next((search for search in searches if not search.conclusive), MISSING)

    def contact_card(self, group: Group, contact_id: str) -> Mapping[str, Any] | None:
        """Give a contact's full card as SALESmanago has it, None when it has none. Raises: DispatchError subclasses."""
        return self._card(group, card_call(contact_id=contact_id))

    def _send_call(self, group: Group, call: Call, command: StoredCommand) -> Answer:
        """Make the call of a command, or of a pair that ends with it."""
        status, body, note = self._post_v2(group, call)
        problems: tuple[str, ...] = (note,) if note else ()
        if call.expected.gone_is_done:
            return Answer(status=status, problems=problems)  # The ids of what is gone are of no more use.
        contact_id = _text(body.get("contactId")) or command.contact_id
        event_id = _text(body.get("eventId")) or command.event_id
        if command.kind is CommandKind.EVENT_PUT and not event_id:
            problems += ("SALESmanago gave the event no id; it cannot be changed or removed later.",)
        return Answer(status=status, contact_id=contact_id, event_id=event_id, problems=problems)

    def _send_products(self, group: Group, batch: Sequence[StoredCommand]) -> Answer:
        locations = {command.location or group.location for command in batch}
        kinds = {command.kind for command in batch}
        if len(batch) > MAX_PRODUCTS or len(locations) != 1 or len(kinds) != 1:
            raise ValueError(f"A batch holds up to {MAX_PRODUCTS} products of one location.")
        [location] = locations
        access = catalog_access(group)
        request = {
            "catalogId": self._catalogs.id_of(group, location),
            "products": [command.payload for command in batch],
        }
        reply = self._transport.post(access.endpoint, "/v3/product/upsert", v3_headers(access.api_key), request)
        try:
            body, problems = read_v3(reply, self._clock.now(), [access.api_key])
        except CatalogRefused as error:
            if _UNKNOWN_RESOURCE in error.codes and not error.items:
                raise self._catalog_gone(group, location, error) from error
            raise
        ids = body.get("productIds")
        product_ids = tuple(str(item) for item in ids) if isinstance(ids, list) else ()
        return Answer(status=reply.status, product_ids=product_ids, problems=problems)

    def _catalog_gone(self, group: Group, location: str, error: CatalogRefused) -> TemporaryFailure | SettingsRefused:
        """Tell what follows when the catalogue does not exist: look again, unless its id was configured."""
        if configured_id(group, location):
            return SettingsRefused(f"catalog.id of group {group.key} is unknown there. {error}", status=error.status)
        self._catalogs.forget(group, location)
        return TemporaryFailure(f"The catalogue is gone; it will be looked for again. {error}", status=error.status)

    def _card(self, group: Group, call: Call) -> Mapping[str, Any] | None:
        _, body, _ = self._post_v2(group, call)
        contacts = body.get("contacts")
        cards = [item for item in contacts if isinstance(item, dict)] if isinstance(contacts, list) else []
        return cards[0] if cards else None

    def _post_v2(self, group: Group, call: Call) -> tuple[int, Body, str | None]:
        now = self._clock.now()
        request = v2_request(group, now, call.body, in_parts=call.in_parts)
        reply = self._transport.post(group.endpoint, call.path, JSON_HEADERS, request)
        body, note = read_v2(reply, now, call.expected, request)
        return reply.status, body, note


def _text(value: object) -> str | None:
    return str(value) if value else None
