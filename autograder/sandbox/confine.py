"""Confinement: what the warm process gives up once, for all its children, and the steps by which each locks itself in.

The warm process takes namespaces and a user of its own where the system grants them; without Landlock and seccomp
there is no confinement.
"""

import contextlib
import os
import resource
import signal
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from io import FileIO

from autograder.sandbox import landlock, libc, policy, seccomp
from autograder.sandbox.policy import Limits
from autograder.sandbox.processes import fork, limit

__all__ = ["Confinement", "prepare"]

_SET_PDEATHSIG, _SET_DUMPABLE, _SET_KEEPCAPS, _SET_NO_NEW_PRIVS = 1, 4, 8, 38
_CAP_DAC_READ_SEARCH, _CAP_KILL, _CAP_SETGID, _CAP_SETUID = 1 << 2, 1 << 5, 1 << 6, 1 << 7
_NAMESPACES = 0x4000_0000 | 0x2000_0000 | 0x0800_0000 | 0x0400_0000 | 0x0002_0000  # CLONE_NEWNET, PID, IPC, UTS, NS
_NEWUSER = 0x1000_0000
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE = 442, (1 << 64) - 100, 0x8000
_READ_ONLY, _PRIVATE = 1, 1 << 18


@dataclass(frozen=True)
class Confinement:
    """What each child of this warm process enters."""

    layers: tuple[str, ...]  # what was reached, for people
    ruleset: int  # Landlock's, a descriptor
    program: bytes  # seccomp's
    occupied: int  # bytes of the warm process's address space
    threads_are_counted: bool  # whether RLIMIT_NPROC counts this warm process and its children alone

    def enter(self, limits: Limits) -> None:
        """Lock the calling process in for good. Raises OSError if any step fails: then nothing may run in it."""
        limit(resource.RLIMIT_AS, self.occupied + limits.memory_bytes)  # RLIMIT_DATA would leave out shared mappings
        limit(resource.RLIMIT_CPU, limits.cpu_seconds)
        limit(resource.RLIMIT_NOFILE, limits.descriptors)
        for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_MEMLOCK):
            limit(kind, 0)
        if self.threads_are_counted:
            # These count, too: its first thread, the warm process, and the first process of the PID namespace.
            limit(resource.RLIMIT_NPROC, limits.threads + 3)
        libc.prctl(_SET_PDEATHSIG, signal.SIGKILL)
        landlock.enforce(self.ruleset)
        os.close(self.ruleset)
        seccomp.enforce(self.program)


def prepare(readable: Iterable[str]) -> Confinement:
    """Take from the calling process what its children must not have, and build what they will enter.

    It must have one thread, and can start no more afterwards. Raises OSError where Landlock or seccomp is missing.
    """
    version, machine = landlock.abi(), seccomp.architecture()
    if version == 0:
        raise OSError("this system has no Landlock (Linux 5.13 or newer, enabled)")
    if machine is None:
        raise OSError("this system has no seccomp, or is neither x86_64 nor aarch64")
    ruleset = landlock.build(readable=readable, writable=policy.WRITABLE)
    program = seccomp.assemble(machine, policy.CALLS)
    with FileIO("/proc/self/statm") as statm:  # the entry may have put something else in the place of `open`
        occupied = int(statm.read().split()[0]) * resource.getpagesize()
    needed, (_, granted) = occupied + policy.DEFAULT.memory_bytes, resource.getrlimit(resource.RLIMIT_AS)
    if resource.RLIM_INFINITY != granted < needed:  # what an answer comes to would depend on it
        raise OSError(f"{granted >> 20} MiB of address space are allowed here (ulimit -v); {needed >> 20} are needed")
    with FileIO("/proc/self/oom_score_adj", "w") as score:  # if memory runs out, let the largest child go first
        score.write(b"1000")

    layers = [f"landlock {version}", "seccomp"]
    namespaces = _enter_namespaces()
    if namespaces:
        layers.append(f"{namespaces} namespaces")
        with contextlib.suppress(OSError):
            _hide_what_runs_leave()
            layers.append("no access times")
    own_user = namespaces.startswith("user")
    if os.geteuid() == 0 and not own_user and _become_another(readable):
        own_user = True
        layers.append("own uid")
    else:
        libc.set_capabilities(0)
    libc.prctl(_SET_DUMPABLE, 0)  # after the change of user, which resets it and the next
    libc.prctl(_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_SET_NO_NEW_PRIVS, 1)
    if namespaces:
        fork(_wait_for_ever)  # the first process of the new PID namespace; all children to come are in it
    return Confinement(tuple(layers), ruleset, program, occupied, threads_are_counted=own_user)


def _enter_namespaces() -> str:
    """Enter new namespaces, in a user namespace if need be; their kinds, or nothing where they cannot be had."""
    kinds = "network+ipc+uts+mount+pid"
    with contextlib.suppress(OSError):
        libc.call("unshare", _NAMESPACES)
        return kinds
    if os.geteuid() == 0:  # in a container: `_become_another` is worth more than a user namespace
        return ""
    # Some systems grant a user namespace and then refuse to map the user into it, with no way back: try it out first.
    if os.waitpid(fork(_enter_user_namespace), 0)[1] != 0:
        return ""
    _enter_user_namespace()
    return f"user+{kinds}"


def _enter_user_namespace() -> None:
    uid, gid = os.getuid(), os.getgid()
    libc.call("unshare", _NAMESPACES | _NEWUSER)
    for name, line in {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}.items():
        with FileIO(f"/proc/self/{name}", "w") as mapping:
            mapping.write(line.encode())


def _hide_what_runs_leave() -> None:
    """Mount all read-only, so that reading leaves no access times, and an empty folder over /proc."""
    attributes = struct.pack("=QQQQ", _READ_ONLY, 0, _PRIVATE, 0)
    libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, attributes, len(attributes))
    libc.call("mount", b"none", b"/proc", b"tmpfs", _READ_ONLY, None)


def _wait_for_ever() -> None:
    libc.prctl(_SET_PDEATHSIG, signal.SIGKILL)
    os.closerange(0, os.sysconf("SC_OPEN_MAX"))
    while True:
        signal.pause()


def _become_another(readable: Iterable[str]) -> bool:
    """Change from root to a user of this warm process's own, if that one can read what it must.

    Where the interpreter lies in a home that only its owner enters, it keeps the right to read past file modes:
    Landlock still rules.
    """
    held = libc.capabilities()
    if ~held & (_CAP_KILL | _CAP_SETGID | _CAP_SETUID):
        return False
    uid = policy.FIRST_UID + os.getpid() % (policy.LAST_UID - policy.FIRST_UID + 1)
    try:
        os.setgroups([])
        os.setresgid(uid, uid, 0)
        os.setresuid(uid, uid, 0)
        reachable = all(os.access(path, os.R_OK) for path in readable)
    except OSError:  # not mapped in this container
        reachable, held = False, 0
    if not reachable and not held & _CAP_DAC_READ_SEARCH:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        return False
    libc.prctl(_SET_KEEPCAPS, 1)
    os.setresuid(uid, uid, uid)
    os.setresgid(uid, uid, uid)
    libc.set_capabilities(0 if reachable else _CAP_DAC_READ_SEARCH)
    return True
