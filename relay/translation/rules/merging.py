"""Which account stands for which, after a merchant made two accounts of one person one.

The account that stayed stands for the one that went, for all that was ever said in its name, whichever arrives first.
"""

from __future__ import annotations

from typing import Any

from relay.commerce import ResourceKind
from relay.translation.scene import Scene

TWINS = "Both accounts of a merge have a contact, and SALESmanago cannot merge contacts; the old one stays."

_MERGED = "merged"  # in the facts of the account that went: the one that stayed
_ABSORBED = "absorbed"  # in the facts of the account that stayed: the ones that went
_LONGEST_CHAIN = 10


def note_merge(scene: Scene, kept_id: str, deleted_id: str) -> None:
    """Keep with both accounts that one went into the other."""
    gone, kept = _facts(scene, deleted_id), _facts(scene, kept_id)
    gone[_MERGED] = kept_id
    kept[_ABSORBED] = sorted({*kept.get(_ABSORBED, ()), deleted_id})
    _note(scene, deleted_id, gone)
    _note(scene, kept_id, kept)


def is_merged(scene: Scene, customer_id: str) -> bool:
    """Tell whether an account went into another one."""
    return _MERGED in _facts(scene, customer_id)


def kept_for(scene: Scene, customer_id: str) -> str:
    """Give the account that stands for an account today: itself when it was never merged into another."""
    for _ in range(_LONGEST_CHAIN):
        merged = _facts(scene, customer_id).get(_MERGED)
        if merged is None:
            break
        customer_id = merged
    return customer_id


def absorbed_by(scene: Scene, customer_id: str) -> list[str]:
    """Give the accounts that went into an account, also by way of others."""
    found: list[str] = []
    queue = [customer_id]
    while queue:
        more = [each for each in _facts(scene, queue.pop()).get(_ABSORBED, ()) if each not in (*found, customer_id)]
        found += more
        queue += more
    return found


def _facts(scene: Scene, customer_id: str) -> dict[str, Any]:
    return scene.notes.facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id)


def _note(scene: Scene, customer_id: str, facts: dict[str, Any]) -> None:
    scene.notes.note_facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id, facts)
