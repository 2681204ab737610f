"""``flask worker``: translates deliveries and sends commands until it is told to stop."""

from __future__ import annotations

import contextlib
import os
import signal
from functools import partial
from types import FrameType

import click
from flask.cli import with_appcontext

from cli.opening import opened_relay
from cli.telling import TellingCommand
from handlers.context import current_joint
from relay.log import configure_logging
from relay.news import News
from relay.worker.duty import Duty
from relay.worker.waking import Ear
from relay.worker.worker import Worker

_STOPPING = (signal.SIGTERM, signal.SIGINT)


@click.command("worker", cls=TellingCommand)
@click.option(
    "--duty",
    type=click.Choice([each.value for each in Duty]),
    default=Duty.ALL.value,
    show_default=True,
    help="What this process does; two processes that share the work do more than two that each do it all.",
)
@with_appcontext
def worker(duty: str) -> None:
    """Translate deliveries and send commands.

    Runs until SIGTERM or SIGINT: the first lets it finish what is under way, the next ends it at once.
    """
    translator = current_joint().translator()
    with opened_relay() as relay, Ear(relay.settings.data, relay.store.listener()) as ear:
        configure_logging(relay.settings.log_level)
        work_in_long_turns()
        relay.store.give_way()
        running = Worker(
            store=relay.store,
            client=relay.client,
            translator=translator,
            directory=relay.directory,
            settings=relay.settings,
            clock=relay.clock,
            ear=ear,
            duty=Duty(duty),
            announce=partial(relay.wake, News.COMMANDS),
        )
        stop_on_signal(running)
        running.run()


def work_in_long_turns() -> None:
    """Ask the kernel not to interrupt others for this process, but to let it go on for longer; only Linux can.

    To be taken off a core while it has the database is what makes shops wait for a worker.
    """
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def stop_on_signal(running: Worker) -> None:
    """Let the first signal stop the worker, and the next one do what it does by default."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in _STOPPING:
            signal.signal(number, signal.SIG_DFL)
        running.stop()

    for number in _STOPPING:
        signal.signal(number, stop)
