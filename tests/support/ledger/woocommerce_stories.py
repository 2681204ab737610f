"""Lives of WooCommerce orders. An order there is a sale once it is paid."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.ledger.books import NOTHING, Cause, What
from tests.support.ledger.plot import Plot

CREATED, UPDATED, DELETED, RESTORED = "order.created", "order.updated", "order.deleted", "order.restored"


def _begun(plot: Plot, status: str, *topics: str, free: bool = False) -> None:
    (plot.fill_for_nothing if free else plot.fill)()
    plot.show(*(topics or (CREATED, UPDATED)), status=status, placed=plot.at, paid=None)


def _paid(plot: Plot, *topics: str) -> None:
    plot.life.counts = True
    plot.show(*(topics or (UPDATED,)), status="processing", paid=plot.at)


def _sold(plot: Plot, *, free: bool = False) -> None:
    """The usual ways to an order that is paid."""
    way = plot.dice.randint(1, 4)
    if way == 1:  # block checkout: a draft while the buyer types, created only when it is paid
        _begun(plot, "checkout-draft", UPDATED, free=free)
        plot.later(20, 600)
        _paid(plot, UPDATED, CREATED)
    elif way == 2:  # classic checkout, at times within one second
        _begun(plot, "pending", free=free)
        plot.later(0, 90)
        _paid(plot)
    elif way == 3:  # bank transfer
        _begun(plot, "on-hold", free=free)
        plot.days_later()
        _paid(plot)
    else:  # payment on delivery has no date of payment until the order is completed
        plot.life.counts = True
        _begun(plot, "processing", free=free)
        plot.days_later()
        plot.show(UPDATED, status="completed", paid=plot.at)
        return
    if plot.happens(0.5):
        plot.days_later()
        plot.show(UPDATED, status="completed")


def plain(plot: Plot) -> None:
    """Paid, one way or another."""
    _sold(plot)


def free(plot: Plot) -> None:
    """A coupon for all of it."""
    _sold(plot, free=True)


def tried_again(plot: Plot) -> None:
    """The payment fails, then works: the same order."""
    _begun(plot, "pending")
    plot.later(5, 60)
    plot.show(UPDATED, status="failed")
    plot.later(60, 4000)
    _paid(plot)


def paid_after_all(plot: Plot) -> None:
    """Cancelled since nobody paid in time, and paid then."""
    _begun(plot, "pending")
    plot.later(3600, 7200)
    plot.show(UPDATED, status="cancelled")
    plot.days_later()
    _paid(plot)


def partial_refunds(plot: Plot) -> None:
    """Amounts go back, at times until nothing is left."""
    _sold(plot)
    for _ in range(plot.dice.randint(1, 4)):
        if plot.left < 4 * plot.life.unit:
            break
        plot.days_later(1, 3)
        plot.dice.choice((plot.give_back_some, plot.give_back_money, plot.give_back_shipping))() if plot.goods() else (
            plot.give_back_money()
        )
        plot.show(UPDATED)


def full_refund(plot: Plot) -> None:
    """All of it back, at times in two parts."""
    _sold(plot)
    plot.days_later()
    if plot.happens(0.4) and plot.left > 10 * plot.life.unit:
        plot.give_back_money()
        plot.show(UPDATED)
        plot.days_later()
    plot.give_back_all()
    plot.show(UPDATED, status="refunded")


def refund_taken_back(plot: Plot) -> None:
    """A refund that is deleted again."""
    _sold(plot)
    plot.days_later()
    ref = plot.give_back_money()
    plot.show(UPDATED)
    plot.days_later()
    plot.life.reverse(ref)
    plot.show(UPDATED)


def cancelled(plot: Plot) -> None:
    """Cancelled after it was paid, at times after a refund."""
    _sold(plot)
    if plot.happens(0.3) and plot.left > 10 * plot.life.unit:
        plot.days_later()
        plot.give_back_money()
        plot.show(UPDATED)
    plot.days_later()
    plot.give_back_all(Cause.UNDOING)
    plot.show(UPDATED, status="cancelled")


def re_opened(plot: Plot) -> None:
    """Cancelled, and taken up again."""
    _sold(plot)
    plot.days_later()
    ref = plot.give_back_all(Cause.UNDOING)
    plot.show(UPDATED, status="cancelled")
    plot.days_later()
    plot.life.reverse(ref)
    plot.show(UPDATED, status=plot.dice.choice(("processing", "on-hold", "completed")))


def deleted(plot: Plot) -> None:
    """Put in the trash; where the status says so, a body tells it too."""
    _sold(plot)
    plot.days_later()
    plot.give_back_all(Cause.UNDOING)
    topics = (UPDATED, DELETED) if plot.happens(0.3) else (DELETED,)
    plot.show(*topics, trashed=True)


def restored(plot: Plot) -> None:
    """Put in the trash and taken out again."""
    _sold(plot)
    plot.days_later()
    ref = plot.give_back_all(Cause.UNDOING)
    plot.show(DELETED, trashed=True)
    plot.days_later()
    plot.life.reverse(ref)
    plot.show(RESTORED, trashed=False)


def edited(plot: Plot) -> None:
    """Changed in the admin before it is paid: the total is another one, and nothing else tells of it."""
    _begun(plot, "on-hold")
    plot.later(600, 40_000)
    plot.life.add_line(Cause.EDIT, plot.a_line(), plot.dice.randint(1, 3), ref=plot.ref())
    plot.show(UPDATED)
    plot.days_later()
    _paid(plot)


def own_word(plot: Plot) -> None:
    """Goes on to a status of the shop's own, which nobody has mapped."""
    _sold(plot)
    plot.days_later()
    plot.show(UPDATED, status="in-the-oven")


def never_paid(plot: Plot) -> None:
    """A checkout that was left, refused, or cancelled by the shop after a while."""
    status = plot.dice.choice(("checkout-draft", "pending", "failed", "on-hold"))
    _begun(plot, status, *([UPDATED] if status == "checkout-draft" else []))
    if status != "checkout-draft" and plot.happens(0.5):
        plot.later(3600, 200_000)
        plot.show(UPDATED, status="cancelled")


def only_a_word(plot: Plot) -> None:
    """Begun in the admin under a status nobody knows."""
    _begun(plot, "quote-requested")


def worth_nothing(plot: Plot) -> None:
    """A refund of goods that brings no money back."""
    _sold(plot)
    plot.days_later()
    plot.life.move(Cause.REFUND, What.MONEY, NOTHING, ref=plot.ref())
    plot.show(UPDATED, empty_refund=True)


STORIES: dict[Callable[[Plot], None], int] = {
    plain: 34,
    free: 2,
    tried_again: 3,
    paid_after_all: 2,
    partial_refunds: 12,
    full_refund: 5,
    refund_taken_back: 2,
    cancelled: 6,
    re_opened: 3,
    deleted: 3,
    restored: 3,
    edited: 4,
    own_word: 2,
    never_paid: 15,
    only_a_word: 1,
    worth_nothing: 2,
}
PARTIAL = frozenset({partial_refunds, refund_taken_back, cancelled})
"""Stories with refunds of a part, of which bodies before v1 say nothing."""
