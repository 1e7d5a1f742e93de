"""What is done once, before any submission: imports, stand-ins, the first calls of what notebooks use."""

from __future__ import annotations

import contextlib
import io
import threading

from tqdm import tqdm

from autograder.student import layers, practice, standins
from autograder.student.execute import Execution
from autograder.student.handout import given
from autograder.wire.job import Job

__all__ = ["warm"]


def warm() -> None:
    """Do once what every run would have to do."""
    tqdm.set_lock(threading.RLock())  # its own is in shared memory, through which one child could reach another
    tqdm.monitor_interval = 0  # else every child that shows progress starts a thread that watches it
    standins.prepare()
    layers.pin_all_layers()
    silence = io.StringIO()
    with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
        job = Job((*given(), *practice.CELLS), practice.NAMES, statement_seconds=60.0, told=True)
        Execution(job, {}, lambda frame: None).everything()
    # Let go of the layers of the released sizes: a child that inherits memory pays for it.
    standins.install(lambda question: None)
    layers.salted("")
