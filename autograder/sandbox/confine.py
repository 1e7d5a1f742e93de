"""Confinement: what the warm process prepares once, and the steps by which each child locks itself in."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Container, Iterable
from dataclasses import dataclass

from autograder.sandbox import landlock, libc, policy, seccomp
from autograder.sandbox.policy import Isolation, Limits
from autograder.sandbox.syscalls import architecture

__all__ = ["Confinement", "prepare"]

_SET_PDEATHSIG, _SET_DUMPABLE, _SET_KEEPCAPS, _SET_NO_NEW_PRIVS = 1, 4, 8, 38
_CAP_DAC_READ_SEARCH, _CAP_KILL, _CAP_SETGID, _CAP_SETUID = 1 << 2, 1 << 5, 1 << 6, 1 << 7
_NAMESPACES = libc.CLONE_NEWNET | libc.CLONE_NEWIPC | libc.CLONE_NEWUTS


@dataclass(frozen=True)
class Confinement:
    """What each child of this warm process enters."""

    layers: tuple[str, ...]
    """What was reached, for people."""
    ruleset: int | None = None
    """Landlock's, a descriptor."""
    program: bytes = b""
    """seccomp's."""
    pid_namespace: int | None = None
    """The warm process's own, a descriptor, if children get one each."""
    uid: int | None = None
    """The children's user, if not the warm process's."""
    capabilities: int = 0
    """What children keep, a bit set: nothing, or reading past the file modes (Landlock still rules)."""
    threads_are_counted: bool = False
    """Whether RLIMIT_NPROC counts this warm process's children alone."""

    def fork(self) -> int:
        """os.fork(), into a PID namespace of the child's own where that can be had."""
        if self.pid_namespace is None:
            return os.fork()
        libc.call("unshare", libc.CLONE_NEWPID)
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid != 0:  # else a second unshare would fail
                libc.call("setns", self.pid_namespace, libc.CLONE_NEWPID)
        return pid

    def enter(self, limits: Limits, *, keep: Container[int]) -> None:
        """Lock the calling process in for good, and close its descriptors but those to *keep*.

        Raises OSError if any step fails: then nothing may run in it.
        """
        os.setsid()
        with open("/proc/self/oom_score_adj", "w") as score:  # if memory runs out, let this process go first
            score.write("1000")
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            if descriptor not in keep and descriptor != self.ruleset:
                with contextlib.suppress(OSError):  # the listing's own is closed by now
                    os.close(descriptor)
        self._limit(limits)
        if self.uid is not None:
            libc.prctl(_SET_KEEPCAPS, 1)
            os.setgroups([])
            os.setresgid(self.uid, self.uid, self.uid)
            os.setresuid(self.uid, self.uid, self.uid)
        if self.ruleset is not None:
            libc.set_capabilities(self.capabilities)
            libc.prctl(_SET_DUMPABLE, 0)  # after the change of user, which resets it and the next
        libc.prctl(_SET_PDEATHSIG, signal.SIGKILL)
        if self.ruleset is not None:
            libc.prctl(_SET_NO_NEW_PRIVS, 1)
            landlock.enforce(self.ruleset)
            os.close(self.ruleset)
            seccomp.enforce(self.program)

    def _limit(self, limits: Limits) -> None:
        with open("/proc/self/statm") as statm:
            occupied = int(statm.read().split()[0]) * resource.getpagesize()
        ceilings = {
            # RLIMIT_DATA would leave out shared mappings.
            resource.RLIMIT_AS: occupied + limits.memory_bytes,
            resource.RLIMIT_CPU: limits.cpu_seconds,
            resource.RLIMIT_NOFILE: limits.descriptors,
            resource.RLIMIT_FSIZE: limits.file_bytes,
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_MEMLOCK: 0,
        }
        if self.threads_are_counted:
            ceilings[resource.RLIMIT_NPROC] = limits.threads + 2  # its first thread; perhaps the warm process
        for kind, ceiling in ceilings.items():
            _, hard = resource.getrlimit(kind)
            if hard != resource.RLIM_INFINITY:
                ceiling = min(ceiling, hard)
            resource.setrlimit(kind, (ceiling, ceiling))


def prepare(isolation: Isolation) -> Confinement:
    """Move the calling process into namespaces of its own and build what its children will enter.

    To be called while it has one thread. Raises OSError where Landlock or seccomp is missing; namespaces and a user of
    the children's own are had where the system grants them.
    """
    if isolation == "process":
        return Confinement(layers=("resource limits and a process of its own only",))
    machine, version = architecture(), landlock.abi()
    if version == 0:
        raise OSError("this system has no Landlock (Linux 5.13 or newer, enabled)")
    if machine is None:
        raise OSError("seccomp programs are known for x86_64 and aarch64 only")
    readable = policy.readable()
    ruleset = landlock.build(readable=readable, writable=policy.WRITABLE)
    program = seccomp.assemble(machine, free=policy.FREE, conditional=policy.CONDITIONAL)
    layers = [f"landlock {version}", "seccomp"]

    namespaces, own_users = _enter_namespaces()
    pid_namespace = _own_pid_namespace() if namespaces and not own_users else None
    if namespaces:
        kinds = ["user"] * own_users + ["network", "ipc", "uts"] + ["pid"] * (pid_namespace is not None)
        layers.append("+".join(kinds) + " namespaces")

    uid, capabilities = _own_user(readable) if os.geteuid() == 0 and not own_users else (None, 0)
    if uid is not None:
        layers.append("own uid")
    return Confinement(tuple(layers), ruleset, program, pid_namespace, uid, capabilities, own_users or uid is not None)


def _enter_namespaces() -> tuple[bool, bool]:
    """Whether new namespaces were entered, and whether it took a user namespace."""
    try:
        libc.call("unshare", _NAMESPACES)
        return True, False
    except OSError:
        pass
    if os.geteuid() == 0:
        return False, False  # root in a container: a user of the children's own is worth more
    # Some systems grant the namespace and then refuse to map the user into it, with no way back: try it out first.
    probe = os.fork()
    if probe == 0:
        try:
            _enter_user_namespace()
            os._exit(0)
        finally:
            os._exit(1)
    if os.waitpid(probe, 0)[1] != 0:
        return False, False
    _enter_user_namespace()
    return True, True


def _enter_user_namespace() -> None:
    uid, gid = os.getuid(), os.getgid()
    libc.call("unshare", _NAMESPACES | libc.CLONE_NEWUSER)
    for name, line in {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}.items():
        with open(f"/proc/self/{name}", "w") as mapping:
            mapping.write(line)


def _own_pid_namespace() -> int | None:
    """A descriptor of the process's own PID namespace, if children can be given new ones."""
    descriptor = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        libc.call("unshare", libc.CLONE_NEWPID)
        libc.call("setns", descriptor, libc.CLONE_NEWPID)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


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
