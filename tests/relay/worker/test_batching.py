from __future__ import annotations

import pytest

from relay.commands import CommandKind, EventKey, Lane
from relay.errors import CatalogRefused, CommandRefused
from relay.store import LaneKey
from relay.worker.batching import COMPANY, chains, refused_words
from tests.support.outgoing import command

CATALOG = LaneKey("main", Lane.CATALOG)
CONTACTS = LaneKey("main", Lane.CONTACTS)


def product(number, location="acme_shop", subject=None, **changes):
    subject = subject or f"product:{location}:{number}"
    return command(CommandKind.PRODUCT_UPSERT, {}, id=number, location=location, subject=subject, **changes)


def event(number, **changes):
    changes = {"event": EventKey("acme", "order", str(number), "PURCHASE")} | changes
    return command(CommandKind.EVENT_PUT, {"contactEvent": {}}, id=number, **changes)


def contact(number, subject=None, **changes):
    return command(CommandKind.CONTACT_UPSERT, {}, id=number, subject=subject or f"contact:{number}", **changes)


def calls_of(claimed):
    return {lane: [call for chain in mine for call in chain.calls] for lane, mine in chains(claimed).items()}


def sizes(claimed):
    return {lane: [len(call.commands) for call in calls] for lane, calls in calls_of(claimed).items()}


def ids(claimed):
    return {lane: [[each.id for each in call.commands] for call in calls] for lane, calls in calls_of(claimed).items()}


def test_people_are_called_about_side_by_side_and_each_in_one_chain():
    claimed = [contact(1), event(2, subject="contact:1"), contact(3), event(4, subject="contact:1", event=None)]
    [first, second] = chains(claimed)[CONTACTS]
    assert [[each.id for each in call.commands] for call in first.calls] == [[1, 2], [4]]
    assert [each.id for each in second.commands] == [3]


def test_what_comes_after_a_change_of_who_it_is_about_is_left():
    gone = command(CommandKind.CONTACT_DELETE, {}, id=1, subject="contact:1")
    [chain] = chains([gone, contact(2, subject="contact:1")])[CONTACTS]
    assert [each.id for each in chain.commands] == [1]
    assert [each.id for each in chain.left] == [2]


def test_product_that_changed_again_is_sent_once():
    older, newer = product(1, subject="product:a:7"), product(2, subject="product:a:7")
    [chain] = chains([older, newer, product(3)])[CATALOG]
    [call] = chain.calls
    assert [each.id for each in call.sent] == [2, 3]
    assert [each.id for each in call.said] == [1]


def test_product_behind_one_that_failed_waits():
    failed, newer = product(1, subject="product:a:7", attempts=1), product(2, subject="product:a:7")
    left, alone = chains([failed, newer])[CATALOG]
    assert ([each.id for each in left.left], left.calls) == ([2], ())
    assert [each.id for each in alone.commands] == [1]


def test_products_of_one_shop_share_calls_of_up_to_a_hundred():
    assert sizes(product(number) for number in range(250)) == {CATALOG: [100, 100, 50]}


def test_shops_and_groups_never_share_a_call():
    claimed = [product(1), product(2, "other_shop"), product(3), product(4, group="second")]
    assert ids(claimed) == {CATALOG: [[1, 3], [2]], LaneKey("second", Lane.CATALOG): [[4]]}


def test_lanes_are_kept_apart_and_order_is_kept():
    claimed = [contact(1), product(2), contact(3), product(4), contact(5, group="second")]
    assert ids(claimed) == {
        CONTACTS: [[1], [3]],
        CATALOG: [[2, 4]],
        LaneKey("second", Lane.CONTACTS): [[5]],
    }


@pytest.mark.parametrize(("attempts", "expected"), [(0, [25]), (1, [10, 10, 5]), (2, [1] * 25), (7, [1] * 25)])
def test_products_that_failed_get_smaller_company(attempts, expected):
    assert sizes(product(number, attempts=attempts) for number in range(25)) == {CATALOG: expected}


def test_products_that_failed_do_not_mix_with_fresh_ones():
    claimed = [product(1), product(2, attempts=1), product(3), product(4, attempts=1), product(5, attempts=2)]
    assert ids(claimed) == {CATALOG: [[1, 3], [2, 4], [5]]}


def test_company_ends_alone():
    assert COMPANY[-1] == 1
    assert list(COMPANY) == sorted(COMPANY, reverse=True)


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (CatalogRefused("no", items={1: "bad", 2: "worse"}), {1: "bad", 2: "worse"}),
        (CatalogRefused("no", items={1: "bad", 3: "beyond", -1: "before"}), {1: "bad"}),
        (CatalogRefused("no"), {}),
        (CommandRefused("no"), {}),
    ],
)
def test_words_about_single_products_are_told_from_those_about_the_call(refusal, words):
    assert refused_words(refusal, 3) == words
