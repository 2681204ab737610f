"""The accounts the simulator plays, each with the credentials of both APIs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SandboxAccount:
    """One SALESmanago account. ``owners`` are its users' e-mail addresses; ``v3_key`` opens the product catalogue."""

    client_id: str
    api_secret: str = field(repr=False)
    owners: tuple[str, ...]
    v3_key: str = field(default="", repr=False)
    catalog_limit: int = 5
    loyalty_programs: tuple[str, ...] = ()

    def sign(self, api_key: str) -> str:
        """Give the ``sha`` an API v2 body must carry beside this ``apiKey``: lower-case hex SHA-1."""
        # SHA-1 is SALESmanago's choice, not ours.
        return hashlib.sha1(f"{api_key}{self.client_id}{self.api_secret}".encode()).hexdigest()  # noqa: S324


class Accounts:
    """The accounts by client id (API v2) and by key (API v3)."""

    def __init__(self, accounts: Iterable[SandboxAccount]) -> None:
        self.by_client_id: Mapping[str, SandboxAccount] = {account.client_id: account for account in accounts}
        self.by_v3_key: Mapping[str, SandboxAccount] = {
            account.v3_key: account for account in self.by_client_id.values() if account.v3_key
        }
