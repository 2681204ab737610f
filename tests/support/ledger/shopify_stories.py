"""Lives of Shopify orders. An order there is a sale from the moment it is placed."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.ledger.books import Cause, What
from tests.support.ledger.plot import Plot

UPDATED = "orders/updated"
NO_EDITS = "2022-04"
"""The newest version whose bodies do not show what an edit made of an order."""


def _placed(plot: Plot, status: str = "paid", *, free: bool = False) -> None:
    plot.life.counts = True
    plot.life.state = {"status": status, "token": plot.happens(0.7)}
    (plot.fill_for_nothing if free else plot.fill)()
    if plot.life.state["token"] and plot.happens(0.5):
        plot.show("checkouts/create", "checkouts/update")
        plot.later(30, 900)
    plot.show("orders/create", *([UPDATED] if plot.happens(0.5) else []), placed=plot.at)
    if status == "paid":
        plot.later(0, 1)
        plot.show("orders/paid", *([UPDATED] if plot.happens(0.5) else []))
    if plot.happens(0.3):
        plot.later(0, 20_000)
        plot.show(UPDATED)


def _refunded(plot: Plot, *, told_by_order: bool = True) -> None:
    """Tell of the refund just booked."""
    is_all = plot.left <= 0
    status = {"status": "refunded" if is_all else "partially_refunded"}
    plot.show("refunds/create", *([UPDATED] if told_by_order else []), **status)


def plain(plot: Plot) -> None:
    """Paid and sent."""
    _placed(plot)
    plot.days_later()
    plot.show("orders/fulfilled", UPDATED)


def paid_later(plot: Plot) -> None:
    """Paid by bank transfer, or on delivery."""
    _placed(plot, plot.dice.choice(("pending", "authorized", "partially_paid")))
    plot.days_later()
    plot.show("orders/paid", UPDATED, status="paid")


def never_paid(plot: Plot) -> None:
    """Still open at the end of the month: sold all the same, until somebody cancels it."""
    _placed(plot, "pending")


def free(plot: Plot) -> None:
    """A coupon for all of it."""
    _placed(plot, free=True)


def partial_refunds(plot: Plot) -> None:
    """Refunds of goods, of amounts and of shipping, one after the other."""
    _placed(plot)
    for _ in range(plot.dice.randint(1, 3)):
        if plot.left < 4 * plot.life.unit or not plot.goods():
            break
        plot.days_later()
        plot.dice.choice((plot.give_back_some, plot.give_back_some, plot.give_back_money, plot.give_back_shipping))()
        _refunded(plot, told_by_order=plot.happens(0.8))


def full_refund(plot: Plot) -> None:
    """Everything back, at times after a part of it."""
    _placed(plot)
    plot.days_later()
    if plot.happens(0.4) and plot.left > 10 * plot.life.unit:
        plot.give_back_money()
        _refunded(plot)
        plot.days_later()
    plot.give_back_all()
    _refunded(plot, told_by_order=plot.happens(0.8))


def pending_refund(plot: Plot) -> None:
    """A refund the bank takes its time for: no money has moved until it has."""
    _placed(plot)
    plot.days_later()
    ref, amount = plot.ref(), plot.part_of(plot.left)
    plot.show("refunds/create", UPDATED, attempt=(ref, amount, "pending"), begun={ref: plot.at})
    plot.days_later()
    plot.life.move(Cause.REFUND, What.MONEY, -amount, ref=ref)
    plot.show(UPDATED, attempt=None, status="partially_refunded")


def failed_refund(plot: Plot) -> None:
    """A refund that the bank refuses."""
    _placed(plot)
    plot.days_later()
    ref = plot.ref()
    plot.show("refunds/create", UPDATED, attempt=(ref, plot.part_of(plot.left), "failure"), begun={ref: plot.at})


def put_back(plot: Plot) -> None:
    """Goods put back in stock; the money stays."""
    _placed(plot)
    plot.days_later()
    plot.give_back_some(Cause.RESTOCK)
    plot.show("refunds/create", UPDATED)


def cancelled_unpaid(plot: Plot) -> None:
    """Cancelled before any money came."""
    _placed(plot, "pending")
    plot.days_later()
    plot.give_back_all(Cause.UNDOING)
    plot.show("orders/cancelled", UPDATED, status="voided", cancelled=plot.at)


def cancelled_and_refunded(plot: Plot) -> None:
    """Cancelled, the money back at once."""
    _placed(plot)
    plot.days_later()
    plot.give_back_all()
    topics = ("orders/cancelled", "refunds/create", UPDATED)
    plot.show(*topics, status="refunded", cancelled=plot.at)


def cancelled_refunded_later(plot: Plot) -> None:
    """Cancelled, and the money goes back in parts."""
    _placed(plot)
    plot.days_later()
    plot.give_back_all(Cause.UNDOING)
    plot.show("orders/cancelled", UPDATED, cancelled=plot.at)
    owed = plot.life.sum(causes=(Cause.SALE,))
    for _ in range(plot.dice.randint(1, 2)):
        if owed <= 2 * plot.life.unit:
            break
        plot.days_later(1, 2)
        ref, amount = plot.ref(), plot.part_of(owed)
        owed -= amount
        plot.life.move(Cause.REFUND, What.MONEY, -amount, ref=ref)
        plot.life.move(Cause.UNDOING, What.MONEY, amount)
        plot.show("refunds/create", UPDATED, status="partially_refunded")


def edited(plot: Plot) -> None:
    """Pieces or lines added or taken away, or exchanged."""
    _placed(plot, plot.dice.choice(("paid", "pending")))
    plot.later(600, 90_000)
    _edit(plot)
    if plot.happens(0.3):
        plot.days_later()
        _edit(plot)


def _edit(plot: Plot) -> None:
    ref = plot.ref()
    if plot.happens(0.15):
        _make_cheaper(plot, ref)
    else:
        _exchange(plot, ref)
    # Shopify books what an edit takes away as a refund of no money, or only shows that fewer pieces are left.
    edits = (*plot.life.state.get("edits", ()), (ref, plot.happens(0.5)))
    plot.show("orders/edited", UPDATED, edits=edits)


def _make_cheaper(plot: Plot, ref: str) -> None:
    index = plot.dice.choice(plot.goods())
    price = plot.life.sum(What.GOODS, What.DISCOUNT, line=index)
    if price:
        off = plot.part_of(price)
        plot.life.move(Cause.EDIT, What.DISCOUNT, -off, index, ref=ref)
        if not plot.life.shop.taxes_included:
            tax = plot.life.sum(What.TAX, line=index)
            plot.life.move(Cause.EDIT, What.TAX, -min(tax, plot.life.tax_on(off)), index, ref=ref)


def _exchange(plot: Plot, ref: str) -> None:
    removes, adds = plot.dice.choice(((True, False), (False, True), (True, True)))
    goods = plot.goods()
    if removes and (adds or sum(map(plot.life.pieces_left, goods)) > 1):
        index = plot.dice.choice(goods)
        most = plot.life.pieces_left(index) - (0 if adds or len(goods) > 1 else 1)
        plot.life.take_back(Cause.EDIT, index, plot.dice.randint(1, most), ref)
    else:
        adds = True
    if adds and goods and plot.happens(0.3) and not removes:
        plot.life.sell(Cause.EDIT, goods[0], plot.dice.randint(1, 2), ref=ref)
    elif adds:
        plot.life.add_line(Cause.EDIT, plot.a_line(), plot.dice.randint(1, 3), ref=ref)


def edited_and_refunded(plot: Plot) -> None:
    """Edits and money back in turns; at times only the refund itself tells of it."""
    _placed(plot)
    plot.later(600, 90_000)
    _edit(plot)
    for _ in range(plot.dice.randint(1, 3)):
        if plot.left < 4 * plot.life.unit or not plot.goods():
            break
        plot.days_later()
        if plot.happens(0.3) and not plot.life.sum(What.MONEY):  # else more could be taken off than is left
            _edit(plot)
            continue
        plot.dice.choice((plot.give_back_some, plot.give_back_money, plot.give_back_shipping))()
        _refunded(plot, told_by_order=plot.happens(0.7))


def edited_and_cancelled(plot: Plot) -> None:
    """An edit, then the end of it."""
    paid = plot.happens(0.5)
    _placed(plot, "paid" if paid else "pending")
    plot.later(600, 90_000)
    _edit(plot)
    if plot.left <= 0:
        return
    plot.days_later()
    plot.give_back_all(Cause.REFUND if paid else Cause.UNDOING)
    topics = ("orders/cancelled", UPDATED, *(["refunds/create"] if paid else []))
    plot.show(*topics, status="refunded" if paid else "voided", cancelled=plot.at)


def deleted(plot: Plot) -> None:
    """Removed from the shop, which its reports do not count any more."""
    _placed(plot, plot.dice.choice(("paid", "pending")))
    if plot.happens(0.3) and plot.left > 10 * plot.life.unit:
        plot.days_later()
        plot.give_back_money()
        _refunded(plot)
    plot.days_later()
    plot.give_back_all(Cause.UNDOING)
    plot.show("orders/delete")


def abandoned(plot: Plot) -> None:
    """A checkout that nobody completed."""
    plot.life.state = {"token": True}
    plot.fill()
    plot.show("checkouts/create")
    plot.later(60, 900)
    plot.show("checkouts/update")


def only_a_test(plot: Plot) -> None:
    """An order of the merchant's, made to try the shop."""
    plot.life.state = {"status": "paid", "test": True, "token": True}
    plot.fill()
    plot.show("orders/create", "orders/paid", placed=plot.at)


STORIES: dict[Callable[[Plot], None], int] = {
    plain: 22,
    paid_later: 8,
    never_paid: 3,
    free: 2,
    partial_refunds: 12,
    full_refund: 5,
    pending_refund: 2,
    failed_refund: 1,
    put_back: 1,
    cancelled_unpaid: 4,
    cancelled_and_refunded: 5,
    cancelled_refunded_later: 3,
    edited: 7,
    edited_and_refunded: 5,
    edited_and_cancelled: 3,
    deleted: 3,
    abandoned: 12,
    only_a_test: 2,
}
EDITS = frozenset({edited, edited_and_refunded, edited_and_cancelled})
