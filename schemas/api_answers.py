"""What callers of the REST API are answered: one shape for every outcome, and problems told field by field."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, fields

_PROBLEM = re.compile(
    r"(?:data\.)?(?:(?P<index>\d+)(?:\.|(?=:)))?(?P<field>[A-Za-z_][\w.]*)?: (?P<message>.+)", re.DOTALL
)


class ProblemSchema(Schema):
    """Something that was left out or changed on the way, or an item of a list that was refused."""

    index = fields.Integer(metadata={"description": "Place of the item in data, from 0."})
    id = fields.String(metadata={"description": "Id of the product."})
    field = fields.String(metadata={"description": "Name of the field."})
    message = fields.String(required=True, metadata={"description": "What is wrong and what to send instead."})


class AnswerSchema(Schema):
    """Every answer. Ids are there once they are known."""

    success = fields.Boolean(required=True, metadata={"description": "False: it was refused; messages say why."})
    messages = fields.List(fields.String(), required=True, metadata={"description": "In words, for people."})
    requestId = fields.String(
        required=True, metadata={"description": "The request's id; GET /requests/<id> tells what became of it."}
    )
    contactId = fields.String(metadata={"description": "SALESmanago's id of the contact."})
    eventId = fields.String(metadata={"description": "SALESmanago's id of the event."})
    productIds = fields.List(fields.String(), metadata={"description": "Ids of the products that were taken."})
    problems = fields.List(fields.Nested(ProblemSchema))


class ContactCardSchema(AnswerSchema):
    """The answer of GET /contact/<sm_id>."""

    contact = fields.Dict(metadata={"description": "The contact's card as SALESmanago has it."})


def problem(text: str) -> dict[str, Any]:
    """Take a stored warning such as ``data.3.name: Longer than 100 characters.`` apart into a problem."""
    found = _PROBLEM.fullmatch(text)
    if found is None:
        return {"message": text}
    index, field, message = found.group("index", "field", "message")
    place = ({} if index is None else {"index": int(index)}) | ({} if field is None else {"field": field})
    return {**place, "message": message}
