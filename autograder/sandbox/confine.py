"""Confinement: what the warm process prepares once, and the steps by which each child locks itself in."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from autograder.sandbox import landlock, libc, policy, seccomp
from autograder.sandbox.policy import Limits
from autograder.sandbox.syscalls import architecture

__all__ = ["Confinement", "Unconfinable", "prepare"]

_SET_PDEATHSIG, _SET_DUMPABLE, _SET_KEEPCAPS, _SET_NO_NEW_PRIVS = 1, 4, 8, 38
_CAP_DAC_READ_SEARCH, _CAP_KILL, _CAP_SETGID, _CAP_SETUID = 1 << 2, 1 << 5, 1 << 6, 1 << 7
_NAMESPACES = libc.CLONE_NEWNET | libc.CLONE_NEWIPC | libc.CLONE_NEWUTS | libc.CLONE_NEWNS
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE = 442, (1 << 64) - 100, 0x8000
_READ_ONLY, _PRIVATE = 1, 1 << 18


class Unconfinable(Exception):
    """This system lacks what confinement cannot do without."""


@dataclass(frozen=True)
class Confinement:
    """What each child of this warm process enters."""

    layers: tuple[str, ...]
    """What was reached, for people."""
    ruleset: int
    """Landlock's, a descriptor."""
    program: bytes
    """seccomp's."""
    occupied: int
    """Bytes of address space of the warm process."""
    uid: int | None
    """The children's user, if not the warm process's."""
    capabilities: int
    """What children keep, a bit set: nothing, or reading past the file modes (Landlock still rules)."""
    threads_are_counted: bool
    """Whether RLIMIT_NPROC counts this warm process's children alone."""

    def enter(self, limits: Limits) -> None:
        """Lock the calling process in for good. Raises OSError if any step fails: then nothing may run in it."""
        self._limit(limits)
        if self.uid is not None:
            libc.prctl(_SET_KEEPCAPS, 1)
            os.setgroups([])
            os.setresgid(self.uid, self.uid, self.uid)
            os.setresuid(self.uid, self.uid, self.uid)
        libc.set_capabilities(self.capabilities)
        libc.prctl(_SET_DUMPABLE, 0)  # after the change of user, which resets it and the next
        libc.prctl(_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_SET_NO_NEW_PRIVS, 1)
        landlock.enforce(self.ruleset)
        os.close(self.ruleset)
        seccomp.enforce(self.program)

    def _limit(self, limits: Limits) -> None:
        ceilings = {
            resource.RLIMIT_AS: self.occupied + limits.memory_bytes,  # RLIMIT_DATA would leave out shared mappings
            resource.RLIMIT_CPU: limits.cpu_seconds,
            resource.RLIMIT_NOFILE: limits.descriptors,
            resource.RLIMIT_FSIZE: 0,
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_MEMLOCK: 0,
        }
        if self.threads_are_counted:
            # Beside them its first thread, and perhaps the warm process and the namespace's first.
            ceilings[resource.RLIMIT_NPROC] = limits.threads + 3
        for kind, ceiling in ceilings.items():
            _, hard = resource.getrlimit(kind)
            if hard != resource.RLIM_INFINITY:
                ceiling = min(ceiling, hard)
            resource.setrlimit(kind, (ceiling, ceiling))


def prepare() -> Confinement:
    """Move the calling process into namespaces of its own and build what its children will enter.

    The caller must have one thread, and can start no more afterwards. Raises Unconfinable where Landlock or
    seccomp is missing; namespaces and a user of the children's own are had where the system grants them.
    """
    machine, version = architecture(), landlock.abi()
    if version == 0:
        raise Unconfinable("this system has no Landlock (Linux 5.13 or newer, enabled)")
    if machine is None or not seccomp.available():
        raise Unconfinable("this system has no seccomp, or is neither x86_64 nor aarch64")
    readable = policy.readable()
    ruleset = landlock.build(readable=readable, writable=policy.WRITABLE)
    program = seccomp.assemble(machine, free=policy.FREE, conditional=policy.CONDITIONAL)
    with open("/proc/self/statm") as statm:
        occupied = int(statm.read().split()[0]) * resource.getpagesize()
    with open("/proc/self/oom_score_adj", "w") as score:  # if memory runs out, let a child go first
        score.write("1000")

    namespaces = _enter_namespaces()
    own_users = "user" in namespaces
    uid, capabilities = _own_user(readable) if os.geteuid() == 0 and not own_users else (None, 0)
    layers = [f"landlock {version}", "seccomp"]
    if namespaces:
        layers.append("+".join(namespaces) + " namespaces")
    if uid is not None:
        layers.append("own uid")
    return Confinement(tuple(layers), ruleset, program, occupied, uid, capabilities, own_users or uid is not None)


def _enter_namespaces() -> list[str]:
    """Enter new namespaces, in a user namespace if need be; the kinds that could be had."""
    kinds = ["network", "ipc", "uts"]
    try:
        libc.call("unshare", _NAMESPACES)
    except OSError:
        # Root in a container: a user of the children's own is worth more than a user namespace.
        if os.geteuid() == 0 or not _has_user_namespaces():
            return []
        _enter_user_namespace()
        kinds.insert(0, "user")
    for kind, enter in {"mount": _hide_what_runs_leave, "pid": _number_children_anew}.items():
        with contextlib.suppress(OSError):
            enter()
            kinds.append(kind)
    return kinds


def _has_user_namespaces() -> bool:
    # Some systems grant the namespace and then refuse to map the user into it, with no way back.
    probe = os.fork()
    if probe == 0:
        try:
            _enter_user_namespace()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(probe, 0)[1] == 0


def _enter_user_namespace() -> None:
    uid, gid = os.getuid(), os.getgid()
    libc.call("unshare", _NAMESPACES | libc.CLONE_NEWUSER)
    for name, line in {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}.items():
        with open(f"/proc/self/{name}", "w") as mapping:
            mapping.write(line)


def _hide_what_runs_leave() -> None:
    """Let reading a file leave no access time, and let nobody look at processes: an empty folder covers /proc."""
    attributes = struct.pack("=QQQQ", _READ_ONLY, 0, _PRIVATE, 0)
    libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, attributes, len(attributes))
    libc.call("mount", b"none", b"/proc", b"tmpfs", _READ_ONLY, None)


def _number_children_anew() -> None:
    """Fork the first process of a new PID namespace, which only waits. All children to come are in it."""
    libc.call("unshare", libc.CLONE_NEWPID)
    if os.fork() == 0:
        try:
            libc.prctl(_SET_PDEATHSIG, signal.SIGKILL)
            os.closerange(0, os.sysconf("SC_OPEN_MAX"))
            while True:
                signal.pause()
        finally:
            os._exit(1)


def _own_user(readable: Iterable[str]) -> tuple[int | None, int]:
    """The uid that root's children change to, if they can, and the capabilities that they need to keep.

    Where the interpreter lies in a home that only its owner enters, late imports need CAP_DAC_READ_SEARCH.
    """
    held = libc.capabilities()
    if ~held & (_CAP_SETUID | _CAP_SETGID | _CAP_KILL):
        return None, 0  # the grader could not change it, or could not kill what it had changed
    uid = policy.FIRST_UID + os.getpid() % (policy.LAST_UID - policy.FIRST_UID + 1)
    try:
        os.setgroups([])
        os.setegid(uid)
        os.seteuid(uid)
        reachable = all(os.access(path, os.R_OK, effective_ids=True) for path in readable)
    except OSError:  # not mapped in this container
        return None, 0
    finally:
        os.seteuid(0)
        os.setegid(0)
    if reachable:
        return uid, 0
    return (uid, _CAP_DAC_READ_SEARCH) if held & _CAP_DAC_READ_SEARCH else (None, 0)
