"""The relay with a transaction, and so a sync of the disk, for every request: what sharing commits is compared with."""

from __future__ import annotations

from typing import Any

from app import create_app
from relay.store.group_commit import GroupCommit, Promise


class _Alone(Promise[Any, Any]):
    """A promise that is kept by a transaction of its own."""

    def is_kept_within(self, seconds: float) -> bool:
        return True  # nothing is done for others

    def kept(self) -> Any:
        with self._group._transaction(self._group._wait_s) as connection:
            [result] = self._group._write(connection, [self.item])
        return result


def _promise(self: GroupCommit[Any, Any], item: Any) -> Promise[Any, Any]:
    return _Alone(item, self)


GroupCommit.promise = _promise  # type: ignore[method-assign]
app = create_app()
