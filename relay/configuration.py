"""Groups and shops from the configuration file, checked as a whole: every fault is told at once, with its key."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from relay import demo
from relay.errors import ConfigurationError, Fault
from relay.hints import listed, nearest
from relay.platforms import Platforms
from relay.references import Resolver
from relay.settings import Settings
from relay.shapes import KEY, KEY_WORDS, GroupTable, ShopTable
from relay.shops import Catalog, Directory, Group, Shop

_SECTIONS: Mapping[str, Schema] = {"groups": GroupTable(), "shops": ShopTable()}
Tables = dict[str, dict[str, Any]]


def load_directory(settings: Settings, platforms: Platforms) -> Directory:
    """Read the configuration file, or the built-in demo where there is none.

    Raises: ConfigurationError with every fault of the file; ``where`` is the dotted key.
    """
    document = demo.document(settings) if settings.config is None else _read(settings)
    resolver = Resolver(settings.environment)
    resolved = resolver.table(document)
    tables = {section: _section(resolved, section) for section in _SECTIONS}
    faults = [Fault(key, f"unknown key{nearest(key, _SECTIONS)}") for key in resolved if key not in _SECTIONS]
    groups, group_faults = _checked(tables["groups"], "groups")
    shops, shop_faults = _checked(tables["shops"], "shops")
    if not groups:
        faults.append(Fault("groups", "at least one [groups.<key>] table is needed; see relay.example.toml"))
    faults += resolver.faults
    checks = (_group_faults(groups), _shop_faults(shops, groups, platforms), _shared_catalogue_faults(shops, groups))
    for more in (group_faults, shop_faults, *checks):
        faults += [fault for fault in more if not _follows_from(fault, faults)]
    if faults:
        raise ConfigurationError(faults)
    return _directory(groups, shops, platforms)


def _read(settings: Settings) -> dict[str, Any]:
    try:
        return tomllib.loads(settings.config.read_text(encoding="utf-8")) if settings.config else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError([Fault(str(settings.config), f"cannot be read as TOML: {error}")]) from None


def _section(document: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    tables = document.get(section, {})
    return tables if isinstance(tables, dict) else {"": tables}


def _checked(tables: Mapping[str, Any], section: str) -> tuple[Tables, list[Fault]]:
    """Check each table by its schema; gives what is valid of each, so that later checks find their faults too."""
    valid: Tables = {}
    faults: list[Fault] = []
    for key, table in tables.items():
        where = f"{section}.{key}".rstrip(".")
        if not isinstance(table, dict):
            faults.append(Fault(where, "must be a table"))
            continue
        if not KEY.fullmatch(key):
            faults.append(Fault(where, KEY_WORDS))
        try:
            valid[key] = _SECTIONS[section].load(table)
        except ValidationError as error:
            valid[key] = error.valid_data if isinstance(error.valid_data, dict) else {}
            faults += _worded(_SECTIONS[section], error.messages, where)
    return valid, faults


def _worded(schema: Schema | None, messages: Any, where: str) -> Iterator[Fault]:
    """Turn marshmallow's tree of messages into faults with dotted keys."""
    if isinstance(messages, list):
        yield from (Fault(where, str(message)) for message in messages)
        return
    for key, inner in messages.items():
        place = f"{where}[{key}]" if isinstance(key, int) else f"{where}.{key}"
        if schema is None and key in ("key", "value"):  # levels that marshmallow adds for the entries of a free table
            yield from _worded(None, inner, where)
        elif schema is not None and inner == ["Unknown field."]:
            yield Fault(place, f"unknown key{nearest(str(key), schema.fields)}")
        elif inner == ["Missing data for required field."]:
            yield Fault(place, "is missing")
        else:
            nested = schema.fields.get(key) if schema is not None else None
            yield from _worded(getattr(nested, "schema", None), inner, place)


def _follows_from(fault: Fault, earlier: list[Fault]) -> bool:
    """Tell whether a fault is about a key that has one already, or about the list or table such a key stands in."""
    return any(re.fullmatch(rf"{re.escape(fault.where)}([.\[].*)?", each.where) for each in earlier)


def _shop_faults(shops: Tables, groups: Tables, platforms: Platforms) -> Iterator[Fault]:
    for key, shop in shops.items():
        where = f"shops.{key}"
        for reference, known in (("group", groups), ("platform", platforms)):
            name = shop.get(reference)
            if name not in known:
                yield Fault(f"{where}.{reference}", f'there is no {reference} "{name}"; there are: {listed(known)}')
        platform = platforms.get(shop.get("platform", ""))
        if platform is None:
            continue
        for word, target in shop.get("statuses", {}).items():
            if target not in platform.statuses:
                words = listed(platform.statuses)
                yield Fault(f"{where}.statuses.{word}", f'"{target}" is no {platform.name} status; there are: {words}')


def _group_faults(groups: Tables) -> Iterator[Fault]:
    owners: dict[str, str] = {}
    for key, group in groups.items():
        products = group.get("products", [])
        if "catalog" in products and "catalog" not in group:
            yield Fault(f"groups.{key}.catalog", 'is missing; products names "catalog"')
        if "feed" in products and "feed_token" not in group:
            yield Fault(
                f"groups.{key}.feed_token", 'is missing; products names "feed", and without a token it is public'
            )
        for api_key in group.get("api_keys", []):
            other = owners.setdefault(api_key, key)
            if other != key:
                # The key itself is a secret and stays out of the message.
                yield Fault(f"groups.{key}.api_keys", f"also opens groups.{other}; give each group its own key")


def _shared_catalogue_faults(shops: Tables, groups: Tables) -> Iterator[Fault]:
    """Find shops whose product ids could meet in one e-shop: ids of two shops are unrelated unless both are SKUs."""
    sharing: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, shop in shops.items():
        group = groups.get(shop.get("group", ""), {})
        location = shop.get("location", group.get("location"))
        if group.get("products") and location is not None:
            sharing[shop["group"], location].append(key)
    for (_, location), keys in sharing.items():
        if len(keys) > 1 and any(shops[key].get("product_id") != "sku" for key in keys):
            yield Fault(
                f"shops.{keys[1]}.location",
                f'the shops {listed(keys)} publish products to one e-shop, "{location}", where their product ids could '
                'meet; give each shop its own location, or all of them product_id = "sku"',
            )


def _directory(groups: Tables, shops: Tables, platforms: Platforms) -> Directory:
    built = {key: _group(key, table) for key, table in groups.items()}
    return Directory(
        groups=built,
        shops={key: _shop(key, table, built[table["group"]], platforms) for key, table in shops.items()},
    )


def _group(key: str, table: Mapping[str, Any]) -> Group:
    values = dict(table)
    catalog = values.pop("catalog", None)
    values["api_keys"] = tuple(values.get("api_keys", ()))
    values["products"] = frozenset(values.get("products", ()))
    return Group(key=key, catalog=None if catalog is None else Catalog(**catalog), **values)


def _shop(key: str, table: Mapping[str, Any], group: Group, platforms: Platforms) -> Shop:
    defaults = {
        "location": group.location,
        "mapping": group.mapping,
        "purchase_when": platforms[table["platform"]].purchase_when,
    }
    values = defaults | dict(table)
    values["domains"] = values.pop("domain", ())
    values["secrets"] = tuple(values["secrets"])
    return Shop(key=key, **values)
