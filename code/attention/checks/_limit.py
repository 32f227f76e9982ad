"""Call a function that may never return, and come back all the same (used by checks).

Where Python lets a clock ring (the main thread on Linux and macOS, so in a
notebook too), an alarm breaks into the function. It rings again and again, so
that a loop around a bare ``except:`` does not swallow it for long.

Elsewhere (Windows, other threads, and the live page, where Python runs inside
a worker of the browser) Python calls a function of ours, which looks at the
clock: since Python 3.12 at each call and each time round a loop
(``sys.monitoring``), before that at each step (``sys.settrace``). That slows
long loops of pure Python down. Under ``sys.settrace`` a bare ``except:`` in an
endless loop swallows the only exception that comes.

In no case can one long step inside NumPy be broken off: the function ends
after it.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

SECONDS = 5.0  # for one call; the answers of the book take a thousandth of one
RING_AGAIN = 0.05


class OutOfTimeError(BaseException):
    """The function had not finished in time. No ``except Exception`` catches it."""


def call(function: Callable, arguments: tuple, seconds: float | None = None) -> object:
    """Return ``function(*arguments)``, for which it has a number of ``seconds``.

    Parameters
    ----------
    function : callable
    arguments : tuple
    seconds : float, optional
        Default: ``SECONDS``.

    Returns
    -------
    returned : object

    Raises
    ------
    OutOfTimeError
        If the function had not finished by then. Whatever the function raises
        is raised on.
    """
    seconds = SECONDS if seconds is None else seconds
    in_main_thread = threading.current_thread() is threading.main_thread()
    if hasattr(signal, "setitimer") and in_main_thread and sys.platform != "emscripten":
        return _with_alarm(function, arguments, seconds)
    if hasattr(sys, "monitoring"):
        return _with_monitoring(function, arguments, seconds)
    return _with_trace(function, arguments, seconds)


def _ring(number: int, frame: FrameType) -> None:
    # Not while this module is at work: its own clearing up must be finished.
    if frame.f_globals is not globals():
        raise OutOfTimeError


def _with_alarm(function: Callable, arguments: tuple, seconds: float) -> object:
    start = time.monotonic()
    handler = signal.signal(signal.SIGALRM, _ring)
    others, interval = signal.setitimer(signal.ITIMER_REAL, seconds, RING_AGAIN)
    try:
        return function(*arguments)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)
        if others:  # somebody else's alarm was set: it rings when it would have
            left = max(others - (time.monotonic() - start), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, left, interval)


def _with_monitoring(function: Callable, arguments: tuple, seconds: float) -> object:
    monitoring, events = sys.monitoring, sys.monitoring.events
    tool = next((tool for tool in (3, 4) if monitoring.get_tool(tool) is None), None)
    if tool is None:  # a check inside a check: the outer limit holds
        return function(*arguments)
    thread, now, end = threading.get_ident(), time.monotonic, time.monotonic() + seconds

    def look_at_the_clock(*event):
        if now() > end and threading.get_ident() == thread:
            raise OutOfTimeError

    monitoring.use_tool_id(tool, __name__)
    for event in (events.JUMP, events.PY_START):
        monitoring.register_callback(tool, event, look_at_the_clock)
    monitoring.set_events(tool, events.JUMP | events.PY_START)
    try:
        return function(*arguments)
    finally:
        monitoring.set_events(tool, events.NO_EVENTS)
        monitoring.free_tool_id(tool)


def _with_trace(function: Callable, arguments: tuple, seconds: float) -> object:
    now, end = time.monotonic, time.monotonic() + seconds

    def look_at_the_clock(frame, event, argument):
        frame.f_trace_opcodes = True  # `while True: pass` never begins a new line
        if now() > end:
            raise OutOfTimeError
        return look_at_the_clock

    others = sys.gettrace()
    sys.settrace(look_at_the_clock)
    try:
        return function(*arguments)
    finally:
        sys.settrace(others)
