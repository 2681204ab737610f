"""API v3: the product catalogues of an account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.calls import Call, Handler
from sandbox.holdings import Catalog, new_id
from sandbox.v3 import Problems, Reason, operation, refused_whole

_REQUIRED = ("name", "currency", "location")
_LOCATION = re.compile(r"(?=.{3,36}\Z)[a-zA-Z_][a-zA-Z0-9_]+")
_CURRENCY = re.compile(r"[A-Z]{3}")
_PATTERNS: Mapping[str, re.Pattern[str]] = {"location": _LOCATION, "currency": _CURRENCY}


def _shown(catalog: Catalog) -> Mapping[str, Any]:
    return {
        "catalogId": catalog.catalog_id,
        "name": catalog.name,
        "setAsDefault": catalog.default,
        "currency": catalog.currency,
        "location": catalog.location,
    }


def _list(call: Call) -> Mapping[str, Any]:
    catalogs = [_shown(catalog) for catalog in call.holdings.catalogs.values()]
    return {"catalogs": catalogs, "limits": {"max": call.account.catalog_limit}}


def _upsert(call: Call) -> Mapping[str, Any]:
    known = catalog_named(call) if call.body.get("catalogId") else None
    _check(call, known).decline(call)
    if known is None and len(call.holdings.catalogs) >= call.account.catalog_limit:
        raise refused_whole(call, Reason.TOO_MANY, "Limit of catalogs reached")
    catalog = known or Catalog(new_id(), name="", currency="", location="")
    for name in _REQUIRED:
        setattr(catalog, name, call.body.get(name) or getattr(catalog, name))
    if call.body.get("setAsDefault"):
        for other in call.holdings.catalogs.values():
            other.default = False
    catalog.default = call.body.get("setAsDefault", catalog.default)
    call.holdings.catalogs[catalog.catalog_id] = catalog
    return {"catalogId": catalog.catalog_id}


def _check(call: Call, known: Catalog | None) -> Problems:
    problems = Problems()
    for name in _REQUIRED:
        _check_text(problems, name, call.body, required=known is None)
    if not isinstance(call.body.get("setAsDefault", False), bool):
        problems.wrong_type("setAsDefault", "Boolean")
    if _is_taken(call, known) and call.switches["catalog_location_twice"] == "refuse":
        problems.add(Reason.NOT_UNIQUE, "location")
    return problems


def _check_text(problems: Problems, name: str, body: Mapping[str, Any], *, required: bool) -> None:
    value = body.get(name)
    if name not in body:
        if required:
            problems.add(Reason.MISSING, name)
    elif value is None:
        problems.add(Reason.NULL, name)
    elif not isinstance(value, str):
        problems.wrong_type(name, "String")
    elif not value:
        problems.limit(name, 1, 255)
    elif name in _PATTERNS and not _PATTERNS[name].fullmatch(value):
        problems.add(Reason.PATTERN, name)


def _is_taken(call: Call, known: Catalog | None) -> bool:
    location = call.body.get("location")
    return any(catalog.location == location and catalog is not known for catalog in call.holdings.catalogs.values())


def catalog_named(call: Call) -> Catalog:
    """Find the catalogue the call names; declines the call when there is none."""
    if "catalogId" not in call.body:
        problems = Problems()
        problems.add(Reason.MISSING, "catalogId")
        problems.decline(call)
    catalog = call.holdings.catalogs.get(str(call.body["catalogId"]))
    if catalog is None:
        raise refused_whole(call, Reason.UNKNOWN)
    return catalog


def _delete(call: Call) -> Mapping[str, Any]:
    del call.holdings.catalogs[catalog_named(call).catalog_id]
    return {}


READERS: Mapping[str, Handler] = {"/v3/product/catalogList": operation(_list)}
WRITERS: Mapping[str, Handler] = {
    "/v3/product/catalogUpsert": operation(_upsert),
    "/v3/product/catalogDelete": operation(_delete),
}
