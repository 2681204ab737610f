"""Which catalogue of the account holds an e-shop's products: configured, found by its location, or created once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from threading import Lock
from typing import Any

from relay.clock import Clock
from relay.errors import CatalogRefused, SettingsRefused
from relay.salesmanago.auth import v3_headers
from relay.salesmanago.replies import read_v3
from relay.salesmanago.transport import Transport
from relay.shops import Catalog, Group


def catalog_access(group: Group) -> Catalog:
    """Give the group's access to the catalogue API; raises SettingsRefused when it has none."""
    if group.catalog is None:
        raise SettingsRefused(f"Group {group.key} has no catalog settings; products cannot be sent.")
    return group.catalog


def configured_id(group: Group, location: str) -> str | None:
    """Give the catalogue the configuration names: that of the group's own location."""
    return group.catalog.id if group.catalog and location == group.location else None


class Catalogs:
    """Finds and remembers catalogue ids. Safe for threads; each e-shop is looked for by one thread at a time."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self._ids: dict[tuple[str, str], str] = {}
        self._locks: defaultdict[tuple[str, str], Lock] = defaultdict(Lock)
        self._guard = Lock()

    def id_of(self, group: Group, location: str) -> str:
        """Give the id of the catalogue of the e-shop ``location``.

        Raises: SettingsRefused when there is none and none can be made, other DispatchErrors as the calls do.
        """
        access = catalog_access(group)
        if configured := configured_id(group, location):
            return configured
        key = (group.key, location)
        with self._guard:
            lock = self._locks[key]
        with lock:
            if key not in self._ids:
                self._ids[key] = self._find_or_create(group, access, location)
            return self._ids[key]

    def forget(self, group: Group, location: str) -> None:
        """Drop a catalogue that SALESmanago does not know any more."""
        self._ids.pop((group.key, location), None)

    def _find_or_create(self, group: Group, access: Catalog, location: str) -> str:
        listed = self._listed(access)
        found = _matching(listed, location)
        if found:
            return found
        if group.currency is None:
            raise SettingsRefused(f"Group {group.key} needs a currency before a catalogue can be made for {location}.")
        # An account's only catalogue is its default one; the default of an account that has some is not ours to move.
        request = {"name": location, "setAsDefault": not listed, "currency": group.currency, "location": location}
        return self._create(access, request)

    def _listed(self, access: Catalog) -> list[Mapping[str, Any]]:
        reply = self._transport.get(access.endpoint, "/v3/product/catalogList", v3_headers(access.api_key))
        body, _ = read_v3(reply, self._clock.now(), [access.api_key])
        catalogs = body.get("catalogs")
        return [item for item in catalogs if isinstance(item, dict)] if isinstance(catalogs, list) else []

    def _create(self, access: Catalog, request: Mapping[str, Any]) -> str:
        refusal = None
        try:
            headers = v3_headers(access.api_key)
            reply = self._transport.post(access.endpoint, "/v3/product/catalogUpsert", headers, request)
            body, _ = read_v3(reply, self._clock.now(), [access.api_key])
            if body.get("catalogId"):
                return str(body["catalogId"])
        except CatalogRefused as error:
            refusal = error
        # Another process may have made it since we looked.
        found = _matching(self._listed(access), request["location"])
        if found is None:
            words = refusal or "SALESmanago told no id."
            raise SettingsRefused(
                f"No catalogue has the location {request['location']} and none could be made: {words} "
                "Set catalog.id of the group."
            ) from refusal
        return found


def _matching(catalogs: list[Mapping[str, Any]], location: str) -> str | None:
    """Give the catalogue of this location, else one of this name that has no location."""
    same_place = [item for item in catalogs if item.get("location") == location]
    same_name = [item for item in catalogs if item.get("name") == location and not item.get("location")]
    ids = [str(item["catalogId"]) for item in same_place + same_name if item.get("catalogId")]
    return ids[0] if ids else None
