from __future__ import annotations

import pytest

from relay.commands import CommandKind, Lane
from relay.errors import CatalogRefused, CommandRefused
from relay.store import LaneKey
from relay.worker.batching import COMPANY, batches, refused_words
from tests.support.outgoing import command

CATALOG = LaneKey("main", Lane.CATALOG)
CONTACTS = LaneKey("main", Lane.CONTACTS)


def product(number, location="acme_shop", **changes):
    return command(CommandKind.PRODUCT_UPSERT, {}, id=number, location=location, **changes)


def contact(number, **changes):
    return command(CommandKind.CONTACT_UPSERT, {}, id=number, **changes)


def sizes(claimed):
    return {lane: [len(batch.commands) for batch in calls] for lane, calls in batches(claimed).items()}


def ids(claimed):
    return {lane: [[each.id for each in batch.commands] for batch in calls] for lane, calls in batches(claimed).items()}


def test_everything_but_products_goes_alone():
    kinds = [kind for kind in CommandKind if kind is not CommandKind.PRODUCT_UPSERT]
    claimed = [command(kind, {}, id=number) for number, kind in enumerate(kinds)]
    assert ids(claimed) == {CONTACTS: [[0], [1], [2], [3]]}


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
