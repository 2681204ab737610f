"""A month of two kinds of shop that do not exist: their books, and the webhooks they would have sent.

The books are movements of money. The bodies are rendered from them, in the shapes that both platforms document.
Nothing in here knows the relay, so that both cannot be wrong alike.
"""

from __future__ import annotations

from tests.support.ledger import shopify_stories, woocommerce_stories
from tests.support.ledger.books import CENTS, Cause, Life, Shop, Sums, What, booked, entry
from tests.support.ledger.month import MONTH, SHOPS, a_month
from tests.support.ledger.sending import Sent, in_order_of_receipt, sent_by, shuffled

__all__ = [
    "CENTS",
    "MONTH",
    "SHOPS",
    "Cause",
    "Life",
    "Sent",
    "Shop",
    "Sums",
    "What",
    "a_month",
    "booked",
    "entry",
    "in_order_of_receipt",
    "sent_by",
    "shopify_stories",
    "shuffled",
    "woocommerce_stories",
]
