"""The sandbox's policy, whole: what a child may use, read and ask of the kernel. Mechanisms are elsewhere."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ALLOWANCE", "DEFAULT", "Allowance", "Argument", "Limits", "environment", "readable"]


@dataclass(frozen=True)
class Limits:
    """What one run may use."""

    cpu_seconds: int = 30
    """Processor time of all threads together. One statement may take less: see `Allowance`."""
    wall_seconds: float = 60.0
    """A backstop for what sleeps. It is far beyond what a run needs on a machine that is busy or pauses."""
    memory_bytes: int = 1 << 30
    """Address space beyond what the warm process occupies."""
    threads: int = 64
    """Threads beside the first. The limit holds where the child has a user or a user namespace of its own."""
    descriptors: int = 64
    """Open file descriptors."""
    frames: int = 100_000
    """Frames that it sends; an ordinary run sends some hundred."""
    frames_bytes: int = 16 << 20
    """Bytes that it sends, the frames' headers included."""


DEFAULT = Limits()


@dataclass(frozen=True)
class Allowance:
    """What one submission may use over all its runs."""

    cpu_seconds: float = 120.0
    """Processor time of all runs; an ordinary submission takes one or two seconds."""
    wall_seconds: float = 600.0
    """The backstop over all runs."""
    statement_seconds: float = 5.0
    """Processor time of one statement. An optimizer's import may take three seconds."""
    stopped: int = 8
    """How many statements may be stopped; then the submission is run no further."""
    run: Limits = DEFAULT


ALLOWANCE = Allowance()

GRADING_SECONDS = 60.0
"""The grader's own part of grading a submission must be done by then, or the grader is at fault."""
READY_SECONDS = 180.0
"""The warm process must be ready by then; importing torch from a cold disk is slow."""
CONFINE_SECONDS = 30.0
"""A child must have confined itself by then."""
REAP_SECONDS = 30.0
"""A killed child must be gone by then; the kernel may have gigabytes to give back."""

FIRST_UID, LAST_UID = 61184, 65519
"""Each warm process of root's gives its children one uid of this range, which systemd keeps for short-lived users."""

WRITABLE = ("/dev/null",)


def readable() -> tuple[str, ...]:
    """Files and folders whose contents a child may read, so that imports and shared libraries load late.

    Of a virtual environment only its `site-packages`: it may lie inside the repository that holds the hidden checks.
    """
    python = [sysconfig.get_path("stdlib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        python.append(site.getusersitepackages())
    system = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo"]
    files = ["/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom", "/dev/zero"]
    return tuple(dict.fromkeys(path for path in [*python, *system, *files] if Path(path).exists()))


def environment() -> dict[str, str]:
    """All the environment variables of our processes: none is the caller's, but they import from the same places."""
    return {
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # a child's memory is new: in huge pages it comes faster
        "HOME": "/",
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "1",  # else each thread takes 64 MiB of the address space that a child may have
        "PATH": os.defpath,
        "PYTHONHASHSEED": "0",  # sets iterate alike in every run
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "TORCHINDUCTOR_CACHE_DIR": "/",  # a folder that exists: importing an optimizer would make it, and cannot
        "TQDM_DISABLE": "1",
        "USER": "student",
        # The same sums on every processor that has these instructions, and for batches this small the fastest.
        "MKL_CBWR": "AVX2",
        # A child would wait for ever for threads that only its parent has.
        "MKL_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


@dataclass(frozen=True)
class Argument:
    """A condition on one argument of a system call: its low (or high) 32 bits under *mask* are one of *values*."""

    index: int
    values: tuple[int, ...]
    mask: int = 0xFFFF_FFFF
    high: bool = False


_MEMORY = "brk madvise membarrier mmap mprotect mremap munmap"
# Landlock does not rule `stat`: a child can find out that a file is there and how long it is, not what it says.
_FILES = (
    "access close dup dup2 dup3 faccessat fstat getcwd getdents64 lseek lstat newfstatat pread64 preadv read readv "
    "stat statx write writev"
)
_WAITING = "clock_nanosleep nanosleep poll ppoll pselect6 select"
_THREADS = "exit rseq sched_yield set_robust_list set_tid_address"
_SIGNALS = "alarm getitimer restart_syscall rt_sigaction rt_sigprocmask rt_sigreturn setitimer sigaltstack"
_CLOCKS = "clock_getres clock_gettime gettimeofday time times"
_SELF = (
    "exit_group getcpu getegid geteuid getgid getpgid getpgrp getpid getppid getrandom getrlimit getrusage gettid "
    "getuid sched_getaffinity sysinfo uname"
)

FREE: frozenset[str] = frozenset(" ".join([_MEMORY, _FILES, _WAITING, _THREADS, _SIGNALS, _CLOCKS, _SELF]).split())
"""System calls allowed whatever their arguments. None can name another process, open anything or reach the network."""

_PTHREAD_FLAGS = 0x3D0F00  # what glibc's pthread_create asks of clone: a thread, never a process or a namespace
_OPEN_READ, _OPEN_WRITE, _OPEN_BOTH, _OPEN_TRUNCATE = 0o0, 0o1, 0o2, 0o1000
_DUPFD, _GETFD, _SETFD, _GETFL, _SETFL, _DUPFD_CLOEXEC = 0, 1, 2, 3, 4, 1030
_TCGETS, _TIOCGWINSZ, _FIONCLEX, _FIOCLEX = 0x5401, 0x5413, 0x5450, 0x5451
_SET_NAME, _GET_NAME = 15, 16
_WAIT, _WAKE, _REQUEUE, _CMP_REQUEUE, _WAKE_OP, _WAIT_BITSET, _WAKE_BITSET = 0, 1, 3, 4, 5, 9, 10
_PRIVATE, _REALTIME = 128, 256
_SHARED_WAITS = (_WAIT, _WAIT_BITSET, _WAIT_BITSET | _REALTIME)  # pthread_join waits so for what the kernel wakes
_PRIVATE_FUTEXES = tuple(
    operation | _PRIVATE for operation in (*_SHARED_WAITS, _WAKE, _REQUEUE, _CMP_REQUEUE, _WAKE_OP, _WAKE_BITSET)
)

CONDITIONAL: dict[str, tuple[Argument, ...]] = {
    "clone": (Argument(0, (_PTHREAD_FLAGS,)),),
    # F_SETOWN, F_SETSIG would let a descriptor signal any process of the same user.
    "fcntl": (Argument(1, (_DUPFD, _GETFD, _SETFD, _GETFL, _SETFL, _DUPFD_CLOEXEC)),),
    # By a shared one, on any file that both map, one child could wake another.
    "futex": (Argument(1, _SHARED_WAITS + _PRIVATE_FUTEXES),),
    "ioctl": (Argument(1, (_TCGETS, _TIOCGWINSZ, _FIONCLEX, _FIOCLEX)),),
    # Landlock before version 3 lets a file that is opened for reading be cut to nothing.
    "openat": (
        Argument(
            2,
            (_OPEN_READ, _OPEN_WRITE, _OPEN_BOTH, _OPEN_WRITE | _OPEN_TRUNCATE, _OPEN_BOTH | _OPEN_TRUNCATE),
            mask=0o3 | _OPEN_TRUNCATE,
        ),
    ),
    "prctl": (Argument(0, (_SET_NAME, _GET_NAME)),),
    # Its own limits, and reading them only: the pointer to new ones is null.
    "prlimit64": (Argument(0, (0,)), Argument(2, (0,)), Argument(2, (0,), high=True)),
}
"""System calls allowed where every condition holds. A call in neither list fails, see `seccomp`."""
