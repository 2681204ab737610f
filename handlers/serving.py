"""How a web process takes requests: webhooks one after the other in its main thread, everything else in threads.

``gunicorn.conf.py`` names ``Worker``. With a thread for each request the threads waited for one interpreter, which was
a good part of what an answer took (docs/performance.md). A webhook waits for nothing but its commit, which it shares.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from selectors import EVENT_READ
from socket import socket
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import TConn, ThreadWorker

from handlers.answering import Answer
from handlers.arriving import MOST_BYTES, Arrived, arrived
from handlers.evenly import Shares
from handlers.later import Awaited

WHOLE_S = 5.0
"""How long a connection may take to bring a webhook, from its first byte on; shops give up after as long."""

_QUICK_S = 0.02
"""What a commit may take, and wait for others, while nothing else is read."""

_STUCK_S = 0.25
"""A thread's commit that took as long is followed by another one of its."""

_MOST_PROCESSES = 64


class _Connection(TConn):  # type: ignore[misc]
    """A client's connection; ``held`` is what has come of its next request."""

    held = b""
    initialized: bool

    def come(self) -> bytes:
        """Give what has come, nothing when whoever called has hung up; raises BlockingIOError when nothing is there."""
        # A thread may have read more than its request, and that no longer makes the socket readable.
        ahead: bytes = self.parser.unreader.take_buffered() if self.initialized else b""
        if ahead:
            self.sock.setblocking(False)  # as a thread has no reason to
            return ahead
        try:
            came: bytes = self.sock.recv(MOST_BYTES)
        except BlockingIOError:
            raise
        except OSError:
            return b""
        return came

    def give_to_parser(self) -> None:
        """Let gunicorn's parser read what has come."""
        self.data_ready = False
        if not self.initialized:
            self.initialized = True
            self.parser = http.get_parser(self.cfg, self.sock, self.client)
        self.parser.unreader.unread(self.held)
        self.held = b""


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with threads, which gives threads only what has to wait or is large."""

    alive: bool
    shares = Shares(_MOST_PROCESSES)

    def __init__(self, *arguments: Any) -> None:
        """Take a place among the processes; gunicorn makes a worker before the fork."""
        super().__init__(*arguments)
        self.place = self.shares.join()

    def init_process(self) -> None:
        """Begin; in the process itself, since a fork takes no threads along."""
        self._awaited: list[Answer] = []
        self._commits_are_quick = True
        self._commit: Future[None] | None = None
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="committer")
        super().init_process()

    def set_accept_enabled(self, enabled: bool) -> None:
        """Leave new connections to processes that have fewer."""
        super().set_accept_enabled(self._may_take() and enabled)

    def accept(self, listener: socket) -> None:
        """Take new connections: all that are there, or as many as are this process's."""
        while self._accepting and self.nr_conns < self.worker_connections:
            try:
                client, address = listener.accept()
            except BlockingIOError:  # there are no more
                return
            except OSError:  # whoever called has gone, or too many files are open: in a moment again
                super().set_accept_enabled(False)
                return
            self.nr_conns += 1
            self.enqueue_req(_Connection(self.cfg, client, address, listener.getsockname()))
            self.set_accept_enabled(True)

    def enqueue_req(self, connection: _Connection) -> None:
        """Go on with a connection that has something to read, or is new."""
        if self.cfg.is_ssl:
            super().enqueue_req(connection)
            return
        try:
            came = connection.come()
        except BlockingIOError:
            self._wait_for(connection)
            return
        if not came:
            self._close(connection)
            return
        connection.held += came
        match arrived(connection.held):
            case Arrived.PART:
                self._wait_for(connection)
            case Arrived.WEBHOOK:
                connection.give_to_parser()
                self._begin(connection)
            case Arrived.OTHER:
                connection.give_to_parser()
                super().enqueue_req(connection)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Do what there is to do, and commit together what came of it."""
        super().wait_for_and_dispatch_events(timeout)
        if self._awaited and self._commit is None:
            answers, self._awaited = self._awaited, []
            if self._commits_are_quick and self._is_kept(answers):
                answers = self._send_settled(answers)
            if answers:
                self._commit_beside(answers)

    def _is_kept(self, answers: Sequence[Answer]) -> bool:
        """Commit what answers wait for here and now; False when the database is somebody else's.

        With a thread for it that thread and this one would wait for one interpreter, which took longer than the commit.
        """
        begun = time.monotonic()
        kept = answers[0].is_kept_within(_QUICK_S)
        self._commits_are_quick = time.monotonic() - begun < _QUICK_S
        return kept

    def _commit_beside(self, answers: Sequence[Answer]) -> None:
        """Have a thread wait for the database, or a slow disk; what comes meanwhile is read, and goes along with it."""
        begun = time.monotonic()
        self._commit = self._committer.submit(_read, answers)
        self._commit.add_done_callback(lambda _: self.method_queue.defer(self._finish, answers, begun))

    def _finish(self, answers: Sequence[Answer], begun: float) -> None:
        """Send what a thread has committed."""
        self._commit = None
        self._commits_are_quick = time.monotonic() - begun < _STUCK_S
        self._send(answers)
        self._awaited = self._send_settled(self._awaited)

    def _send_settled(self, answers: Sequence[Answer]) -> list[Answer]:
        """Send those that wait for nothing any more; gives the others, of which a commit takes so many at a time."""
        settled = [answer for answer in answers if answer.is_settled]
        left = [answer for answer in answers if not answer.is_settled]
        _read(settled)
        self._send(settled)
        return left

    def _may_take(self) -> bool:
        """Tell the other processes how many connections this one has; gives whether it may have another."""
        if self.alive:
            return self.shares.may_take(self.place, self.nr_conns)
        self.shares.stand_back(self.place)
        return False

    def _wait_for(self, connection: _Connection) -> None:
        if not connection.data_ready:  # the first time, or the first since its last request
            connection.timeout = time.monotonic() + WHOLE_S
        self.pending_conns.append(connection)
        self.poller.register(connection.sock, EVENT_READ, partial(self.on_pending_socket_readable, connection))

    def _begin(self, connection: _Connection) -> None:
        """Have the application take a request."""
        request = None
        try:
            request = next(connection.parser)
            self.cfg.pre_request(self, request)
            answer = Answer(connection, request, self.cfg)
            self._count(answer)
            answer.body = self.wsgi(answer.environ, answer.response.start_response)
        except Exception as error:
            self._fail(connection, request, error)
            return
        if isinstance(answer.body, Awaited):
            self._awaited.append(answer)
        else:
            answer.read()
            self._send([answer])

    def _count(self, answer: Answer) -> None:
        """Let a process that has answered as many as it may come to its end, and a connection that is one too many."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        is_full = len(self.keepalived_conns) >= self.max_keepalived
        if not self.alive or is_full or self.shares.has_far_more(self.place, self.nr_conns):
            answer.response.force_close()

    def _send(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            if answer.error is not None:
                self._fail(answer.connection, answer.request, answer.error)
                continue
            goes_on = answer.send()
            self.log.access(answer.response, answer.request, answer.environ, answer.took)
            self.cfg.post_request(self, answer.request, answer.environ, answer.response)
            if goes_on:
                self._keep(answer.connection)
            else:
                self._close(answer.connection)

    def _keep(self, connection: _Connection) -> None:
        connection.set_timeout()
        self.keepalived_conns.append(connection)
        self.poller.register(connection.sock, EVENT_READ, partial(self.on_client_socket_readable, connection))

    def _fail(self, connection: _Connection, request: Any, error: Exception) -> None:
        self.handle_error(request, connection.sock, connection.client, error)
        self._drop()
        # There may be something left to read, and to close without having read it would take the answer back.
        self.tpool.submit(connection.close, graceful=True)

    def _close(self, connection: _Connection) -> None:
        self._drop()
        connection.close()

    def _drop(self) -> None:
        self.nr_conns -= 1
        self._may_take()


def _read(answers: Sequence[Answer]) -> None:
    for answer in answers:
        answer.read()
