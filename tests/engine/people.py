"""Those who may run the grader: code that turns this process into a process of theirs."""

from __future__ import annotations

import os

from autograder.sandbox import libc

__all__ = ["ORDINARY_USER", "PEOPLE"]

ORDINARY_USER = """
import os, sys
from autograder.sandbox import libc
NEWNS, BIND, PRIVATE, RECURSIVE = 0x20000, 1 << 12, 1 << 18, 1 << 14
above = [sys.base_prefix[:i] for i, letter in enumerate(sys.base_prefix) if letter == "/" and i] + [sys.base_prefix]
closed = [folder for folder in above if not os.stat(folder).st_mode & 1]
libc.call("unshare", NEWNS)
libc.call("mount", b"none", b"/", None, PRIVATE | RECURSIVE, None)
interpreter = os.open(sys.base_prefix, os.O_PATH)
if closed:  # the interpreter lies in a home that only its owner enters: show it to everyone, in this process only
    libc.call("mount", b"none", closed[0].encode(), b"tmpfs", 0, b"mode=755")
    os.makedirs(sys.base_prefix, exist_ok=True)
    libc.call("mount", b"/proc/self/fd/%d" % interpreter, sys.base_prefix.encode(), None, BIND, None)
os.setgroups([]); os.setgid(12345); os.setuid(12345)
libc.prctl(4, 1)  # PR_SET_DUMPABLE: be like a process that was never root
"""

_CAP_SYS_ADMIN = 21
PEOPLE = {"as it is": ""}
"""By name; an ordinary user too where this process can become one."""
if os.geteuid() == 0 and libc.capabilities() >> _CAP_SYS_ADMIN & 1:
    PEOPLE |= {"an ordinary user": ORDINARY_USER}
