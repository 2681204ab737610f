"""API v2: many contacts in one call, now or as a job, and a contact with its event in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.calls import Call, Declined, Handler
from sandbox.cards import UPSERT_KEYS, put_contact
from sandbox.events import EVENT_KEYS, add_event, check_event, update_event
from sandbox.holdings import Contact, Job
from sandbox.limits import is_email
from sandbox.shapes import Table, each, flag, text
from sandbox.v2 import operation, refuse, require_owner

BATCH_SIZE = 1000
_FIRST_JOB = 4001


def _put_many(call: Call) -> Mapping[str, Contact]:
    """Put the contacts of ``upsertDetails``; gives them by the address they were sent under."""
    details = call.body.get("upsertDetails") or []
    if len(details) > BATCH_SIZE and call.switches["batch_upsert_size"] == "refuse":
        raise refuse(f"At most {BATCH_SIZE} contacts can be upserted at once")
    if call.switches["batch_upsert_bad_item"] == "refuse_all":
        _require_addresses(details)
    confirm = call.body.get("useApiDoubleOptIn") is not False
    owner = str(call.body.get("owner"))
    put = {}
    for detail in details:
        try:
            put[_address(detail)] = put_contact(call, detail, confirm=confirm, owner=owner)
        except Declined:
            continue
    return put


def _address(detail: Mapping[str, Any]) -> str:
    return str((detail.get("contact") or {}).get("email") or "")


def _require_addresses(details: Sequence[Mapping[str, Any]]) -> None:
    if not all(is_email(_address(detail)) for detail in details):
        raise refuse("Invalid data")


def _upsert_now(call: Call) -> Mapping[str, Any]:
    return {"contactIds": {email: contact.contact_id for email, contact in _put_many(call).items()}}


def _upsert_later(call: Call) -> Mapping[str, Any]:
    _put_many(call)
    job = Job(_FIRST_JOB + len(call.holdings.jobs))
    call.holdings.jobs[job.request_id] = job
    return {"requestId": str(job.request_id) if call.switches["job_request_id"] == "text" else job.request_id}


def _job_status(call: Call) -> Mapping[str, Any]:
    asked_for = str(call.body.get("requestId"))
    job = call.holdings.jobs.get(int(asked_for)) if asked_for.isdigit() else None
    if job is None:
        raise refuse("Job not found")
    job.asked += 1
    if job.asked == 1 and call.switches["job_status"] == "running_once":
        raise refuse("Job is in progress")
    return {}


def _integrate(call: Call) -> Mapping[str, Any]:
    """Put the contact, then the event."""
    contact_part = call.body.get("contactUpsertRequest")
    event_part = call.body.get("addContactExtEventRequest")
    parts = [part for part in (contact_part, event_part) if part]
    if not parts:
        raise refuse("No data specified")
    for part in parts:
        require_owner(call, part.get("owner"))
    given: dict[str, Any] = {}
    checked = None
    if contact_part and event_part and call.switches["integration_refused_event"] == "nothing":
        checked = check_event(call, event_part, str(contact_part.get("newEmail") or _address(contact_part)))
    if contact_part:
        given["contactId"] = put_contact(call, contact_part).contact_id
    if event_part:
        sent = event_part.get("contactEvent") or {}
        owner = str(event_part.get("owner"))
        if sent.get("eventId"):
            given["eventId"] = update_event(call, sent, checked)
        else:
            given["eventId"] = add_event(call, event_part, owner, checked)
    return given


_DETAILS = {"upsertDetails": each(Table(UPSERT_KEYS)), "useApiDoubleOptIn": flag, "lang": text}
_PART = {"clientId": text, "owner": text}

HANDLERS: Mapping[str, Handler] = {
    "/api/contact/batchupsert": operation(_DETAILS, _upsert_now),
    "/api/contact/batchupsertv2": operation(
        {**_DETAILS, "fireEvents": flag, "internalIntegration": flag}, _upsert_later
    ),
    "/api/job/status": operation({"requestId": text}, _job_status),
    "/api/integration/upsert": operation(
        {
            "contactUpsertRequest": Table({**UPSERT_KEYS, **_PART}),
            "addContactExtEventRequest": Table({**EVENT_KEYS, **_PART}),
        },
        _integrate,
        owner=False,
    ),
}
