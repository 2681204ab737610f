"""API v3: the products of a catalogue. There is no call that reads or deletes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.calls import Call, Handler
from sandbox.catalogs import catalog_named
from sandbox.holdings import Catalog
from sandbox.product_checks import CHECKS, PRICE_CHECKS, QUANTITY_CHECKS, REQUIRED, Check, Checking, checked, require
from sandbox.v3 import Problems, Reason, operation

BATCH_SIZE = 100
_NESTED = ("systemDetails", "customDetails")


def _upsert(call: Call) -> Mapping[str, Any]:
    catalog = catalog_named(call)
    problems, good = _check_all(call, CHECKS, REQUIRED)
    if call.switches["bad_product"] == "refuse_all" or not good:
        problems.decline(call)
    for product in good.values():
        _keep(call, catalog, product)
    warnings = {"problems": problems.as_list()} if len(problems) else {}
    return {"productIds": [product["productId"] for product in good.values()], **warnings}


def _check_all(
    call: Call, checks: Mapping[str, Check], required: Sequence[str]
) -> tuple[Problems, dict[int, dict[str, Any]]]:
    """Check every product; gives all problems and, by their place, the products that may be kept."""
    problems = Problems()
    good: dict[int, dict[str, Any]] = {}
    for place, sent in enumerate(_sent(call)):
        path = f"products[{place}]"
        checking = Checking(call.switches)
        if isinstance(sent, dict):
            require(checking, path, sent, required)
            product = checked(checking, f"{path}.", sent, checks)
            _require_clearable(checking, path, product)
            if not checking.problems.refuses():
                good[place] = product
        else:
            checking.problems.wrong_type(path, "Object")
        problems.take(checking.problems)
    return problems, good


def _sent(call: Call) -> list[Any]:
    sent = call.body.get("products")
    problems = Problems()
    if "products" not in call.body:
        problems.add(Reason.MISSING, "products")
    elif not isinstance(sent, list):
        problems.wrong_type("products", "List")
    elif not 1 <= len(sent) <= BATCH_SIZE:
        problems.limit("products", 1, BATCH_SIZE)
    problems.decline(call)
    return list(sent or ())


def _require_clearable(checking: Checking, path: str, product: Mapping[str, Any]) -> None:
    for name in product.get("setAsNull") or ():
        if name in REQUIRED:
            checking.problems.add(Reason.NULL, f"{path}.{name}")


def _keep(call: Call, catalog: Catalog, product: Mapping[str, Any]) -> None:
    known = catalog.products.get(product["productId"], {})
    if call.switches["absent_product_field"] == "cleared":
        known = {}
    merged = known | {name: value for name, value in product.items() if name != "setAsNull"}
    for name in _NESTED:
        if details := known.get(name, {}) | product.get(name, {}):
            merged[name] = details
    for name in product.get("setAsNull", ()):
        merged.pop(name, None)
        for nested in _NESTED:
            merged.get(nested, {}).pop(name, None)
    catalog.products[product["productId"]] = merged


def _update(checks: Mapping[str, Check], required: Sequence[str]) -> Handler:
    """Build a call that changes only some fields of known products."""

    def run(call: Call) -> Mapping[str, Any]:
        catalog = catalog_named(call)
        problems, good = _check_all(call, checks, required)
        if call.switches["unknown_product"] == "refuse":
            for place, product in good.items():
                if product["productId"] not in catalog.products:
                    problems.add(Reason.UNKNOWN, f"products[{place}].productId")
        problems.decline(call)
        for product in good.values():
            if product["productId"] in catalog.products:
                catalog.products[product["productId"]].update(product)
        return {}

    return operation(run)


HANDLERS: Mapping[str, Handler] = {
    "/v3/product/upsert": operation(_upsert),
    "/v3/product/updateQuantity": _update(QUANTITY_CHECKS, ("productId", "quantity")),
    "/v3/product/updatePrice": _update(PRICE_CHECKS, ("productId", "price")),
}
