"""The privacy stage: erasures and disclosures are carried on, and files are written for the merchant to hand over."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from relay import jsontext
from relay.clock import Clock, iso
from relay.errors import StoreUnavailable
from relay.log import get_logger
from relay.store import PrivacyTask, Store, Traces

FOLDER = "data-requests"
"""Below RELAY_DATA; readable by the relay's user alone."""

_REST = timedelta(minutes=1)  # before a task that broke is tried again
_RESTS = 20  # how many times as long as it took to scrub, before that is done again

log = get_logger(__name__)


class PrivacyStage:
    """Carries privacy tasks on, a slice of each at a time."""

    def __init__(self, store: Store, clock: Clock, data: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._resting_until = 0.0
        self._privacy = store.privacy
        self._clock = clock
        self._folder = data / FOLDER

    def step(self, *, at_once: bool = False) -> bool:
        """Do a piece of every task that can go on; False when none can.

        Scrubbing keeps everybody else from writing, so between two times there is a rest, unless it has to be
        ``at_once``. Raises: StoreUnavailable.
        """
        now = self._clock.now()
        tasks = self._privacy.unfinished(now)
        if not tasks:
            return False
        moved = self._privacy.search(tasks, now)
        for task in self._privacy.unfinished(now) if moved else tasks:
            if task.work and not task.is_searching:
                moved = self._conclude(task) or moved
        return self._scrub(at_once=at_once) or moved

    def _conclude(self, task: PrivacyTask) -> bool:
        """Finish a task but for the scrubbing; one that breaks must not stop the others."""
        try:
            if task.file is not None:
                self._write(task, task.file)
            else:
                self._remove_files(task)
            concluded = self._privacy.conclude(task, self._clock.now())
        except StoreUnavailable:
            raise
        except Exception as error:
            log.error("privacy_task_broke", task=task.id, delivery=task.delivery_id, exc_info=error)
            self._privacy.postpone(task, self._clock.now() + _REST)
            return False
        if concluded:
            log.info("privacy_task_concluded", task=task.id, delivery=task.delivery_id, kind=task.kind, **task.counts)
        return concluded

    def _scrub(self, *, at_once: bool) -> bool:
        now = self._clock.now()
        bare = [task for task in self._privacy.unfinished(now) if not task.work]
        began = self._monotonic()
        if not bare or (began < self._resting_until and not at_once):
            return False
        try:
            scrubbed = self._privacy.scrub(bare, now)
        except StoreUnavailable as error:
            log.warning("erased_data_not_scrubbed", tasks=[task.id for task in bare], problem=str(error))
            for task in bare:
                self._privacy.postpone(task, now + _REST)
            return False
        ended = self._monotonic()
        self._resting_until = ended + (ended - began) * _RESTS
        if not scrubbed:
            return False
        log.info("erased_data_scrubbed", tasks=[task.id for task in bare])
        return True

    def _write(self, task: PrivacyTask, name: str) -> None:
        """Write a disclosure's file, whole or not at all."""
        document = {"made_at": iso(self._clock.now()), "delivery": task.delivery_id} | self._privacy.document(task)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=self._folder, prefix=".draft-")  # readable by its owner alone
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(jsontext.pretty(document))
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(self._folder / name)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
        log.info("data_request_answered", delivery=task.delivery_id, file=f"{FOLDER}/{name}")

    def _remove_files(self, task: PrivacyTask) -> None:
        """Remove the files in which what is erased was disclosed."""
        for file in self._files_about(task):
            file.unlink(missing_ok=True)
            log.info("data_request_file_removed", delivery=task.delivery_id)

    def _files_about(self, task: PrivacyTask) -> Iterator[Path]:
        files = sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []
        person = task.person
        if person is None:
            yield from (file for file in files if task.shop is not None and file.name.startswith(f"{task.shop}-"))
            return
        traces = Traces([person])
        for file in files:
            text = file.read_bytes()
            if any(traces.whose(text, shop) for shop in (None, *person.shops)):
                yield file
