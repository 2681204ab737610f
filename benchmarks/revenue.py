"""Whether SALESmanago's sums are the shops' books, after a month of 10,000 orders in three currencies.

    python -m benchmarks.revenue [--orders 10000] [--seed 1] [--senders 8] [--minutes 60] [--in-memory]

Six shops send all that happened to their orders, signed, over HTTP, in any order and some of it twice. The real store,
worker and client make of it what they make; then the simulator's events are added up and laid beside the books, which
nothing of the relay takes part in (``tests/support/ledger``). Ends with 1 if they differ. On two cores it takes half an
hour, with ``--in-memory`` a few minutes.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests

from benchmarks.machine import machine
from benchmarks.serving import scratch
from handlers import discover_platforms
from relay.platforms import Sending
from relay.store import Store
from tests.support.bookkeeping import differences, relay_shop, told_by_currency, told_by_order
from tests.support.ledger import SHOPS, Life, Sent, Sums, a_month, booked, in_order_of_receipt, sent_by, shuffled
from tests.support.road import Road, running_road
from tests.support.world import World

_PLATFORMS = discover_platforms()
_RELAYS = {shop.key: relay_shop(shop) for shop in SHOPS}
_GROUP = """
[groups.main]
endpoint = "{sandbox}"
client_id = "{client_id}"
api_key = "any-string"
api_secret = "{api_secret}"
owner = "{owner}"
location = "nordic_eur"
currency = "EUR"
"""
_SHOP = """
[shops.{key}]
platform = "{platform}"
group = "main"
location = "{key}"
domain = "{domain}"
url = "{url}"
currency = "{currency}"
timezone = "{zone}"
secrets = ["{secret}"]
"""
_SHOWN = 20

Events = Sequence[Mapping[str, Any]]


def main() -> None:
    """Run a month and print its books beside what SALESmanago holds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--senders", type=int, default=8, help="requests at a time")
    parser.add_argument("--minutes", type=int, default=60, help="the longest to wait for the worker")
    parser.add_argument("--in-memory", action="store_true", help="translation alone: no HTTP, no store, no client")
    given = parser.parse_args()
    lives = a_month(given.orders, given.seed)
    sent = in_order_of_receipt(shuffled(sent_by(lives), given.seed))
    print(machine())
    sold = sum(life.counts for life in lives)
    print(f"{len(lives):,} orders and carts, {sold:,} of them sold, {len(sent):,} deliveries")
    events = _in_memory(sent) if given.in_memory else _through_the_relay(sent, given.senders, given.minutes)
    sys.exit(0 if _compared(lives, events) else 1)


def _in_memory(sent: Sequence[Sent]) -> Events:
    worlds = {key: World(shop) for key, shop in _RELAYS.items()}
    started = time.monotonic()
    for each in sent:
        worlds[each.shop].deliver(each.topic, each.body, each.at)
    print(f"translated in memory in {time.monotonic() - started:,.0f} s")
    return [event for world in worlds.values() for event in world.events.values()]


def _through_the_relay(sent: Sequence[Sent], senders: int, minutes: int) -> Events:
    with scratch() as folder, running_road(folder, config=_config(), log_level="warning") as road:
        started = time.monotonic()
        _deliver(road, sent, senders)
        delivered = time.monotonic()
        print(f"delivered in {delivered - started:,.0f} s, {len(sent) / (delivered - started):,.0f} a second")
        with road.store() as store:
            end = delivered + 60 * minutes
            while not _is_done(store) and time.monotonic() < end:
                time.sleep(2)
            counts = store.reading.counts()
        print(f"all sent to SALESmanago {time.monotonic() - delivered:,.0f} s later")
        left = {**counts.deliveries} | {f"{kind} {state}": number for (kind, state), number in counts.commands.items()}
        print("left:", ", ".join(f"{number:,} {state}" for state, number in left.items() if number) or "nothing")
        return road.events()


def _is_done(store: Store) -> bool:
    """Tell whether nothing is left to do but to look again, later, at refunds that came before their order."""
    counts = store.reading.counts()
    left = {state for (_, state), number in counts.commands.items() if number}
    return not counts.deliveries.get("received") and not {"waiting", "claimed"} & left


def _config() -> str:
    shops = (
        _SHOP.format(
            key=shop.key,
            platform=shop.platform,
            domain=shop.domains[0],
            url=shop.url,
            currency=shop.currency,
            zone=shop.timezone.key,
            secret=shop.secrets[0],
        )
        for shop in _RELAYS.values()
    )
    return _GROUP + "".join(shops)


def _deliver(road: Road, sent: Sequence[Sent], senders: int) -> None:
    """Deliver with some requests at a time; those of one order keep their order."""
    failed: list[str] = []

    def deliver(mine: Sequence[Sent]) -> None:
        with requests.Session() as session:
            for each in mine:
                if fault := _fault(road, session, each):
                    failed.append(fault)

    threads = [
        threading.Thread(target=deliver, args=([each for each in sent if each.order % senders == place],))
        for place in range(senders)
    ]
    _run(threads)
    if failed:
        sys.exit(f"{len(failed)} deliveries were refused, such as: {failed[0]}")


def _fault(road: Road, session: requests.Session, each: Sent) -> str | None:
    shop = _RELAYS[each.shop]
    sending = Sending(shop, each.topic, each.body, each.delivery_id, each.at)
    headers = _PLATFORMS[shop.platform].headers_of(sending)
    answer = session.post(f"{road.url}/webhooks/{shop.key}", data=each.body, headers=headers, timeout=60)
    return None if answer.ok else f"{answer.status_code} {answer.text}"


def _run(threads: Sequence[threading.Thread]) -> None:
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def _compared(lives: Sequence[Life], events: Events) -> bool:
    """Print the books beside SALESmanago's sums; tells whether they agree, in sum and order by order."""
    books, told = booked(lives), told_by_currency(events)
    rows: tuple[tuple[str, Callable[[Sums], Any]], ...] = (
        ("sold / PURCHASE", lambda sums: sums.sold),
        ("returned / RETURN", lambda sums: sums.returned),
        ("undone / CANCELLATION", lambda sums: sums.undone),
        ("kept", lambda sums: sums.kept),
    )
    print(f"\n{'':30}{'books':>18}{'SALESmanago':>18}{'difference':>14}")
    for currency in sorted(books.keys() | told.keys()):
        mine, theirs = books.get(currency, Sums()), told.get(currency, Sums())
        for name, of in rows:
            print(f"{currency} {name:26}{of(mine):>18,.2f}{of(theirs):>18,.2f}{of(theirs) - of(mine):>14,.2f}")
    wrong = differences(lives, told_by_order(events))
    for order, (mine, theirs) in list(wrong.items())[:_SHOWN]:
        print(f"  {order}: books {mine}, SALESmanago {theirs}", file=sys.stderr)
    print(f"\n{len(wrong)} of {len(lives):,} orders differ")
    return not wrong and books == told


if __name__ == "__main__":
    main()
