"""A shop that left, and an account that was deleted: the same thoroughness for other reasons."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.deliveries import DeliveryState
from tests.support.house import House, a_house
from tests.support.privacy import files_naming, tables_naming
from tests.support.two_lives import ANN, BO, customer, fill, order, shopify, woo_customer, woo_order

SHOP_REDACTED = {"shop_id": 1, "shop_domain": "acme.myshopify.com"}


def url_of(house: House) -> str:
    return house.relay.settings.database_url


@pytest.mark.parametrize("setting", ["keep", "delete"])
def test_nothing_of_a_redacted_shop_is_left(url_in_data, tmp_path: Path, setting):
    """Ann is known to the shop alone, Bo to the other shop of the group too."""
    with a_house(tmp_path, url_in_data, acme=f'on_shop_redact = "{setting}"') as house:
        house.deliver(
            "acme", "products/create", {"id": 70, "title": "Mug", "status": "active", "variants": [{"id": 700}]}
        )
        for who in (ANN, BO):
            shopify(house, who)
        house.deliver("woo", "customer.created", woo_customer(BO))
        house.deliver("woo", "order.created", woo_order(BO, 1, "processing"))
        house.work()
        house.deliver("acme", "shop/redact", SHOP_REDACTED)
        house.work()
        house.work()

        assert tables_naming(url_of(house), *ANN.traces) == set()
        assert files_naming(house.data, *ANN.traces) == set()
        assert "Mug" not in house.feed()
        assert (ANN.email in house.told()) is (setting == "keep")
        assert BO.email in house.told()
        assert all(task.finished_at for task in house.relay.store.privacy.list())
        for view in house.relay.store.reading.deliveries(limit=200):
            whole = house.relay.store.reading.delivery(view.id)
            assert (whole.body == b"") is (view.shop == "acme")
        assert tables_naming(url_of(house), *BO.traces) >= {"deliveries", "resources", "contacts"}
        with house.relay.store.deliveries.translating() as bench:
            assert bench.memory.events("acme", "order", str(ANN.number + 1))
            assert bench.memory.resource("woo", "order", str(BO.woo + 1)).body is not None


def test_nothing_of_a_deleted_account_is_left_where_the_setting_says_delete(url_in_data, tmp_path: Path):
    with a_house(tmp_path, url_in_data, acme='on_customer_delete = "delete"') as house:
        fill(house)
        house.deliver("acme", "customers/delete", {"id": ANN.number})
        house.work()

        assert tables_naming(url_of(house), ANN.email, ANN.first, ANN.last, ANN.street) == set()
        assert files_naming(house.data, ANN.email, ANN.first, ANN.last, ANN.street) == set()
        assert ANN.email not in house.told()
        assert BO.email in house.told()

        house.deliver("acme", "customers/update", customer(ANN))
        house.deliver("acme", "orders/updated", order(ANN, 1))
        house.work()
        assert tables_naming(url_of(house), *ANN.traces) == set()
        assert files_naming(house.data, *ANN.traces) == set()


def test_woocommerce_account_is_forgotten_with_its_guest_orders(url_in_data, tmp_path: Path):
    with a_house(tmp_path, url_in_data, woo='on_customer_delete = "delete"') as house:
        house.deliver("woo", "customer.created", woo_customer(ANN))
        house.deliver("woo", "order.created", woo_order(ANN, 1, "processing"))
        house.work()
        assert ANN.email in house.told()
        house.deliver("woo", "customer.deleted", {"id": ANN.woo})
        house.work()

        assert ANN.email not in house.told()
        assert tables_naming(url_of(house), *ANN.traces) == set()
        assert files_naming(house.data, *ANN.traces) == set()
        [late] = [view for view in house.relay.store.reading.deliveries() if view.topic == "order.created"]
        assert (late.state, late.reason) == (DeliveryState.TRANSLATED, "erased")
