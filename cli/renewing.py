"""New orders out of old samples: the same bodies, under ids that no shop has used before."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from relay import jsontext
from relay.commerce import Cart, Deletion, Order, Record, ResourceKind
from relay.errors import PayloadInvalid
from relay.platforms import Platform
from relay.shops import Shop

_SHORTEST_PART = 8  # a shorter id may stand inside an address or a date without meaning the order


def renewed(bodies: Sequence[tuple[str, bytes]], platform: Platform, shop: Shop, stamp: int) -> list[bytes]:
    """Give the bodies (each with its topic) with every order's and cart's ids replaced, alike in all of them.

    ``stamp`` is a number that no run before had; numeric ids count on from it, others are random.
    """
    parsed = [(topic, jsontext.loads(body)) for topic, body in bodies]
    old_ids = dict.fromkeys(each for topic, body in parsed for each in _ids(topic, body, platform, shop))
    new_ids = {old: str(stamp + place) if old.isdigit() else uuid.uuid4().hex for place, old in enumerate(old_ids)}
    return [jsontext.dumps(_replaced(body, new_ids)).encode() for _, body in parsed]


def _ids(topic: str, body: Any, platform: Platform, shop: Shop) -> Iterable[str]:
    if topic not in platform.topics:
        return []
    try:
        record = platform.topics[topic].read(body, shop)
    except PayloadInvalid:
        return []  # It is sent as it is: the relay has to cope with it too.
    return filter(None, _known_by(record))


def _known_by(record: Record) -> Iterator[str | None]:
    if isinstance(record, Order):
        yield from (record.id, record.key, record.checkout_token, record.cart_token)
    elif isinstance(record, Cart):
        yield from (record.id, record.cart_token)
    elif isinstance(record, Deletion) and record.kind in (ResourceKind.ORDER, ResourceKind.CART):
        yield record.id


def _replaced(value: Any, new_ids: Mapping[str, str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _replaced(inner, new_ids, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, new_ids, key) for inner in value]
    if isinstance(value, str):
        return _text(value, new_ids)
    # A number elsewhere, such as a quantity, may be equal to an id by chance.
    if isinstance(value, int) and (key == "id" or key.endswith("_id")):
        return int(new_ids.get(str(value), value))
    return value


def _text(text: str, new_ids: Mapping[str, str]) -> str:
    if text in new_ids:
        return new_ids[text]
    inside = [old for old in new_ids if len(old) >= _SHORTEST_PART and old in text]
    if not inside:
        return text
    return re.sub("|".join(map(re.escape, inside)), lambda found: new_ids[found.group()], text)
