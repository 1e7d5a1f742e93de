"""The sandbox's policy, whole: what a child may use, read and ask of the kernel. Mechanisms are elsewhere."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = [
    "ALLOWANCE",
    "CONDITIONAL",
    "CONFINE_SECONDS",
    "DEFAULT",
    "FIRST_UID",
    "FREE",
    "GRADING_SECONDS",
    "LAST_UID",
    "READY_SECONDS",
    "REAP_SECONDS",
    "WRITABLE",
    "Allowance",
    "Argument",
    "Isolation",
    "Limits",
    "environment",
    "readable",
]

Isolation = Literal["full", "process"]
"""`full`: everything below, or a refusal. `process`: a process of its own and resource limits, nothing else."""


@dataclass(frozen=True)
class Limits:
    """What one child may use."""

    wall_seconds: float = 60.0
    """Time for each payload, by the grader's clock."""
    cpu_seconds: int = 60
    """Processor time for all payloads, all threads together."""
    memory_bytes: int = 1 << 30
    """Address space beyond what the warm process occupies."""
    threads: int = 64
    """Threads beside the first; enforced where the child has a user or a user namespace of its own."""
    descriptors: int = 64
    """Open file descriptors."""
    file_bytes: int = 0
    """Size of a file that it writes; pipes are not files."""
    output_bytes: int = 1 << 20
    """Captured standard output and error; what exceeds it is read and dropped."""
    frames_bytes: int = 16 << 20
    """All frames of a payload, headers included; exceeding it ends the child."""


DEFAULT = Limits()


@dataclass(frozen=True)
class Allowance:
    """What one submission may use over all its runs."""

    submission_seconds: float = 120.0
    """Wall time of all its runs together; an ordinary one takes one or two seconds."""
    statement_seconds: float = 5.0
    """Wall time of one statement: what takes longer does not end. An optimizer's import may take three."""
    restarts: int = 8
    """How often a run is started again without the statement that hung or crashed it."""
    run: Limits = DEFAULT
    """What each of its runs may use."""


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
"""Each warm process gives its children one uid of this range, which systemd keeps for short-lived users."""

WRITABLE = ("/dev/null",)


def readable() -> tuple[str, ...]:
    """Files and folders whose contents a child may read, so that imports and shared libraries load late.

    Of a virtual environment only its `site-packages`: it may lie inside the repository that holds the hidden graders.
    """
    python = [sysconfig.get_path("stdlib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        python.append(site.getusersitepackages())
    system = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo"]
    files = ["/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom", "/dev/zero"]
    return tuple(dict.fromkeys(path for path in [*python, *system, *files] if Path(path).exists()))


def environment() -> dict[str, str]:
    """All the environment variables of a warm process: none are the grader's, but it imports from the same places."""
    return {
        # The memory of a child is new in every run: asked for in huge pages, it comes in a fraction of the time.
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
        "HOME": "/",
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "1",  # else each thread takes 64 MiB of the address space that a child may have
        "PATH": os.defpath,
        "PYTHONHASHSEED": "0",  # sets iterate alike in every run
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "TORCHINDUCTOR_CACHE_DIR": "/",  # a folder that exists: importing an optimizer would make it, and cannot
        "TQDM_DISABLE": "1",  # bars tell of nothing but the time, and make the same output look different
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


_MEMORY = "brk madvise membarrier mincore mmap mprotect mremap munmap"
# Landlock does not rule `stat`: a child can find out that a file is there and how long it is, not what it says.
_FILES = (
    "access close dup dup2 dup3 faccessat fstat getcwd getdents64 lseek lstat newfstatat pread64 preadv read readv "
    "stat statx write writev"
)
_WAITING = "clock_nanosleep nanosleep poll ppoll pselect6 select"
_THREADS = "exit futex rseq sched_yield set_robust_list set_tid_address"
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

CONDITIONAL: dict[str, tuple[Argument, ...]] = {
    "clone": (Argument(0, (_PTHREAD_FLAGS,)),),
    # F_SETOWN, F_SETSIG would let a descriptor signal any process of the same user.
    "fcntl": (Argument(1, (_DUPFD, _GETFD, _SETFD, _GETFL, _SETFL, _DUPFD_CLOEXEC)),),
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
