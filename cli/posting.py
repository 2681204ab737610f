"""Posts samples to a relay as the shops' platforms would: signed, each under a delivery id."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus

import click
import requests

from cli.renewing import renewed
from cli.sample_files import Sample
from relay import jsontext
from relay.clock import epoch_ms
from relay.platforms import Platform, Platforms, Sending
from relay.shops import Shop

TIMEOUT_S = 15
_NO_TOPIC = "unknown"
_SAMPLES = uuid.UUID("5f0c4f5e-5a7b-4d57-9f0e-3b1c0de5a3b1")


class Mode(StrEnum):
    """What a run sends, compared with the runs before it."""

    AGAIN = "again"  # the same orders under new delivery ids: updates that change nothing
    AS_IS = "as-is"  # the very same deliveries: repeats
    FRESH = "fresh"  # new orders


@dataclass(frozen=True, slots=True)
class Posted:
    """A delivery and what the relay answered: its HTTP status, and its word or message."""

    sample: Sample
    sending: Sending
    status: int
    answer: str

    @property
    def taken(self) -> bool:
        """Whether the relay acknowledged it."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


def sendings(
    shop: Shop, platform: Platform, samples: Sequence[Sample], mode: Mode, now: datetime
) -> list[tuple[Sample, Sending]]:
    """Make a delivery of every sample, in order."""
    topics = [sample.topic or _NO_TOPIC for sample in samples]
    bodies = [sample.path.read_bytes() for sample in samples]
    if mode is Mode.FRESH:
        bodies = renewed(list(zip(topics, bodies, strict=True)), platform, shop, epoch_ms(now))
    return [
        (sample, Sending(shop, topic, body, _delivery_id(shop, sample, mode), now))
        for sample, topic, body in zip(samples, topics, bodies, strict=True)
    ]


def post(outgoing: Iterable[tuple[Sample, Sending]], url: str, platforms: Platforms) -> Iterator[Posted]:
    """Post deliveries to the relay at ``url``, one after the other.

    Raises: ClickException when it cannot be reached.
    """
    with open_session() as session:
        for sample, sending in outgoing:
            address = f"{url}/webhooks/{sending.shop.key}"
            headers = platforms[sending.shop.platform].headers_of(sending)
            try:
                reply = session.post(
                    address, data=sending.body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
                )
            except requests.ConnectionError as error:
                raise click.ClickException(f"Nothing listens at {url}; start it with `make run`.") from error
            except requests.RequestException as error:
                raise click.ClickException(f"The relay at {url} does not answer: {type(error).__name__}.") from error
            yield Posted(sample, sending, reply.status_code, _word(reply))


def open_session() -> requests.Session:
    """Give a session that goes straight to its host: a proxy of the environment is not meant for this machine."""
    session = requests.Session()
    session.trust_env = False
    return session


def _delivery_id(shop: Shop, sample: Sample, mode: Mode) -> str:
    return str(uuid.uuid5(_SAMPLES, f"{shop.key}/{sample.name}") if mode is Mode.AS_IS else uuid.uuid4())


def _word(reply: requests.Response) -> str:
    """Give the status word of an answer, or what it says instead."""
    try:
        answer = jsontext.loads(reply.content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        return reply.reason or "an answer that is not the relay's"
    messages = answer.get("messages")
    return str(answer.get("status") or (" ".join(map(str, messages)) if messages else reply.reason))
