"""The body of the relay's own deliveries: whom its operator, or a shop that left, wants forgotten."""

from __future__ import annotations

from relay.errors import PayloadInvalid
from relay.privacy import CustomerRedaction
from schemas.fields import Flag, Id, LenientSchema, Text, load

_NOBODY = "The body names nobody: neither email nor customer_id nor phone."


class ErasureSchema(LenientSchema):
    """``customer_id`` is of the delivery's shop; ``thorough`` is true unless said otherwise."""

    email = Text()
    customer_id = Id()
    phone = Text()
    thorough = Flag()


_ERASURE = ErasureSchema()


def read_erasure(body: object) -> CustomerRedaction:
    """Read the body of ``people.erase``; raises PayloadInvalid, also when it names nobody."""
    values = load(_ERASURE, body)
    person = {name: values[name] for name in ("email", "customer_id", "phone")}
    if not any(person.values()):
        raise PayloadInvalid(_NOBODY)
    return CustomerRedaction(**person, thorough=values["thorough"] is not False)
