"""Parts of an order that arrive by themselves, before or after the order they belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from relay import jsontext
from relay.changes import Piece
from relay.commerce import ResourceKind
from relay.deliveries import DeliveryState
from relay.privacy import ERASED_AT
from relay.translation.rules.forgotten import FORGOTTEN
from relay.translation.rules.orders import settle_order
from relay.translation.rules.remembering import PIECES
from relay.translation.scene import Ending, Scene, ignored

PATIENCE = timedelta(hours=1)
"""How long a piece is held for its order; it stays remembered, so an order that comes later has it all the same."""

_SETTLE: Mapping[str, Callable[[Scene, str], Ending]] = {ResourceKind.ORDER: settle_order}


def take_piece(scene: Scene, piece: Piece, body: Mapping[str, Any]) -> Ending:
    """Put a piece into what is remembered of its resource, and bring that one up to date."""
    facts = scene.notes.facts(scene.shop.key, piece.kind, piece.id)
    if ERASED_AT in facts:
        return FORGOTTEN
    pieces = {key: dict(bodies) for key, bodies in facts.get(PIECES, {}).items()}
    same = pieces.setdefault(piece.key, {})
    # Should two bodies of one piece ever differ, everybody has to choose the same.
    same[piece.piece_id] = max(same.get(piece.piece_id, piece.body), piece.body, key=jsontext.digest)
    scene.notes.note_facts(scene.shop.key, piece.kind, piece.id, facts | {PIECES: pieces})
    resource = scene.notes.resource(scene.shop.key, piece.kind, piece.id)
    if resource is not None and resource.body is not None:
        return _SETTLE[piece.kind](scene, piece.id)
    due_at = scene.delivery.received_at + PATIENCE
    reason = f"{piece.kind}-unknown"
    return Ending(DeliveryState.HELD, reason, due_at) if due_at > scene.now else ignored(reason)
