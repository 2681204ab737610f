"""``flask people``: see, hand out and erase what is stored about a person, and follow what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import click

from cli.choosing import known_shop
from cli.opening import opened_relay
from cli.showing import counted, json_option, show_columns, show_json, show_pairs
from cli.telling import TellingGroup
from handlers.context import Relay
from relay import jsontext
from relay.clock import iso
from relay.deliveries import NewDelivery
from relay.hints import listed
from relay.privacy import ERASE_TOPIC, RELAY_PLATFORM, Person
from relay.shops import Group

_Function = TypeVar("_Function", bound=Callable[..., Any])

_HEADINGS = ("ID", "KIND", "ASKED", "FINISHED", "DELIVERY", "WAITS FOR", "DONE")
_COUNTED = ("contacts", "memory", "deliveries", "commands", "events", "mentions")
_BUSY = "Somebody is reading from the database, or too many deliveries wait to be taken in; try again in a moment."


def _person_options(function: _Function) -> _Function:
    """Let a command take a person, as ``shop``, ``group``, ``email``, ``customer`` and ``phone``."""
    options = (
        click.option("--shop", help="The shop the person is known to; its whole group is looked through."),
        click.option("--group", help="The group, in place of a shop."),
        click.option("--email", help="The person's e-mail address."),
        click.option("--customer", metavar="ID", help="The shop's own id of the person."),
        click.option("--phone", help="A phone number of the person."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.group("people", cls=TellingGroup)
def people() -> None:
    """See, hand out and erase what is stored about a person."""


@people.command("show")
@_person_options
@json_option
def show_person(as_json: bool, **named: str | None) -> None:
    """Count what is stored about a person.

    Everything there is has to be read for it, which may take a while.
    """
    with opened_relay() as relay:
        document = relay.store.privacy.gather(_person(relay, **named), relay.clock.now())
    counts = {name: len(document[name]) for name in _COUNTED}
    if as_json:
        show_json(counts)
    elif any(counts.values()):
        show_pairs(counts)
    else:
        click.echo("Nothing is stored about this person.")


@people.command("export")
@_person_options
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this new file, not to stdout.")
def export_person(out: Path | None, **named: str | None) -> None:
    """Give all that is stored about a person.

    One JSON document, for the merchant to hand over.
    """
    with opened_relay() as relay:
        document = relay.store.privacy.gather(_person(relay, **named), relay.clock.now())
        text = jsontext.pretty({"made_at": iso(relay.clock.now())} | document)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.touch(mode=0o600, exist_ok=False)
        out.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}.") from error


@people.command("erase")
@_person_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def erase_person(yes: bool, as_json: bool, **named: str | None) -> None:
    """Erase a person here and in SALESmanago.

    A worker does it. What the person does afterwards is a new relationship.
    """
    with opened_relay() as relay:
        person = _person(relay, **named)
        if not yes:
            click.confirm("This cannot be taken back. Erase the person?", abort=True)
        recorded = relay.store.deliveries.record(_erasing(relay, person, **named))
        relay.wake()
    if as_json:
        show_json({"delivery": recorded.id})
    else:
        click.echo(f"Stored as delivery {recorded.id}. `flask --app app people list` tells when it is done.")


@people.command("list")
@json_option
def list_tasks(as_json: bool) -> None:
    """List the newest erasures and disclosures.

    Each with the commands it waits for: to be sent, or to be requeued or dropped by you.
    """
    with opened_relay() as relay:
        tasks = relay.store.privacy.list()
    if as_json:
        show_json(tasks)
    elif tasks:
        rows = [
            (
                task.id,
                task.kind,
                task.asked_at,
                task.finished_at,
                task.delivery_id,
                task.waits_for,
                [counted(number, name.rstrip("s"), name) for name, number in task.counts.items()],
            )
            for task in tasks
        ]
        show_columns(_HEADINGS, rows)
    else:
        click.echo("Nobody has asked for anything.")


@people.command("scrub")
def scrub() -> None:
    """Rewrite SQLite's file, without anything erased.

    Small files are rewritten after each erasure. Do it for a large one in a quiet hour: nobody can write meanwhile.
    """
    with opened_relay() as relay:
        if not relay.store.scrub():
            raise click.ClickException(_BUSY)
    click.echo("Nothing that was erased is left in the database's files.")


def _person(
    relay: Relay, shop: str | None, group: str | None, email: str | None, customer: str | None, phone: str | None
) -> Person:
    """Give the person a command is about; raises ClickException when the options name nobody."""
    if not (email or customer or phone):
        raise click.ClickException("Say who: --email, --customer or --phone.")
    if customer and not shop:
        raise click.ClickException("A customer id is one shop's own; add --shop.")
    key = _group(relay, shop, group).key
    return Person(
        group=key,
        shops=tuple(each.key for each in relay.directory.shops.values() if each.group == key),
        addresses=(email.lower(),) if email else (),
        phones=(phone,) if phone else (),
        accounts=((shop, customer),) if shop and customer else (),
    )


def _group(relay: Relay, shop: str | None, group: str | None) -> Group:
    groups = relay.directory.groups
    if shop is not None:
        key = known_shop(shop, relay.directory).group
        if group not in (None, key):
            raise click.ClickException(f"Shop {shop} is of group {key}, not of {group}.")
        return groups[key]
    if group is None and len(groups) == 1:
        return next(iter(groups.values()))
    if group is None or group not in groups:
        raise click.ClickException(f"Say where: --shop, or --group with one of {listed(groups)}.")
    return groups[group]


def _erasing(
    relay: Relay,
    person: Person,
    shop: str | None,
    group: str | None,
    email: str | None,
    customer: str | None,
    phone: str | None,
) -> NewDelivery:
    """Give the delivery by which the relay tells itself to erase somebody."""
    body = {"email": email, "customer_id": customer, "phone": phone}
    return NewDelivery(
        platform=RELAY_PLATFORM,
        group=person.group,
        shop=shop,
        topic=ERASE_TOPIC,
        dedupe=jsontext.digest([RELAY_PLATFORM, str(uuid4())]),
        headers={},
        body=jsontext.dumps({name: value for name, value in body.items() if value}).encode(),
        received_at=relay.clock.now(),
    )
