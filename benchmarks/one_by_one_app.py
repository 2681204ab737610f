"""The relay with a transaction, and so a sync of the disk, for every request: what sharing commits is compared with."""

from __future__ import annotations

from typing import Any

from app import create_app
from relay.store.group_commit import GroupCommit


def _submit(self: GroupCommit[Any, Any], item: Any) -> Any:
    with self._transaction(self._wait_s) as connection:
        [result] = self._write(connection, [item])
    return result


GroupCommit.submit = _submit  # type: ignore[method-assign]
app = create_app()
