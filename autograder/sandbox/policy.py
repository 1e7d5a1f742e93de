"""The sandbox's policy, whole: what a child may use, read and ask of the kernel. Mechanisms are elsewhere."""

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

    cpu_seconds: int = 30  # of all threads together; one statement may take less, see `Allowance`
    wall_seconds: float = 60.0  # a backstop for what sleeps, far beyond a run on a machine that is busy or pauses
    memory_bytes: int = 1 << 30  # address space beyond the warm process's
    threads: int = 64  # beside the first; where the child has a user or a user namespace of its own
    descriptors: int = 64
    frames: int = 100_000  # an ordinary run sends some hundred
    frames_bytes: int = 16 << 20  # with the frames' headers


DEFAULT = Limits()


@dataclass(frozen=True)
class Allowance:
    """What one submission may use over all its runs."""

    cpu_seconds: float = 120.0  # an ordinary submission takes one or two
    wall_seconds: float = 600.0  # the backstop
    statement_seconds: float = 5.0  # processor time of one statement
    stopped: int = 8  # statements that may be stopped before the submission is run no further
    frames_bytes: int = 128 << 20  # an ordinary one sends two; JSON takes 12 times its bytes once read
    run: Limits = DEFAULT


ALLOWANCE = Allowance()

GRADING_SECONDS = 60.0  # for the grader's own part of a submission; what takes longer is the grader's fault
READY_SECONDS = 180.0  # for the warm process's imports: torch comes slowly from a cold disk
REAP_SECONDS = 30.0  # for a killed child's end: the kernel may have gigabytes to give back

FIRST_UID, LAST_UID = 61184, 65519
"""Each warm process of root's becomes one user of this range, which systemd keeps for short-lived ones."""

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
        "MALLOC_MMAP_THRESHOLD_": str(1 << 20),  # what is freed of larger blocks is given back at once
        "PATH": os.defpath,
        "PYTHONHASHSEED": "0",  # sets iterate alike in every run
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "TORCH_DEVICE_BACKEND_AUTOLOAD": "0",  # grades depend on no extension that is installed beside
        "TQDM_DISABLE": "1",
        "USER": "student",
        # The same sums on every processor that has these instructions, and for batches this small the fastest.
        "MKL_CBWR": "AVX2",
        # One thread: a child would wait for ever for others, which its parent alone has.
        **dict.fromkeys(("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    }


@dataclass(frozen=True)
class Argument:
    """A condition on one argument of a system call: its low (or high) 32 bits under *mask* are one of *values*."""

    index: int
    values: tuple[int, ...]
    mask: int = 0xFFFF_FFFF
    high: bool = False


# None of these can name another process, open anything or reach the network, whatever its arguments. Landlock does not
# rule `stat`: a child can find out that a file is there and how long it is, not what it says.
_FREE = """
brk madvise membarrier mmap mprotect mremap munmap
access close dup dup2 dup3 faccessat fstat getcwd getdents64 lseek lstat newfstatat pread64 preadv read readv
stat statx write writev
clock_nanosleep nanosleep poll ppoll pselect6 select
exit rseq sched_yield set_robust_list set_tid_address
alarm getitimer restart_syscall rt_sigaction rt_sigprocmask rt_sigreturn setitimer sigaltstack
clock_getres clock_gettime gettimeofday time times
exit_group getcpu getegid geteuid getgid getpgid getpgrp getpid getppid getrandom getrlimit getrusage gettid
getuid sched_getaffinity sysinfo uname
"""
_PRIVATE = 128
_WAITS = (0, 9, 9 | 256)  # FUTEX_WAIT, FUTEX_WAIT_BITSET without and with FUTEX_CLOCK_REALTIME
_WAKES = (1, 3, 4, 5, 10)  # FUTEX_WAKE, _REQUEUE, _CMP_REQUEUE, _WAKE_OP, _WAKE_BITSET

CALLS: dict[str, tuple[Argument, ...]] = {
    **dict.fromkeys(_FREE.split(), ()),
    # What glibc's pthread_create asks for: a thread, never a process or a namespace.
    "clone": (Argument(0, (0x3D0F00,)),),
    # F_DUPFD, _GETFD, _SETFD, _GETFL, _SETFL, _DUPFD_CLOEXEC. F_SETOWN would let a descriptor signal other processes.
    "fcntl": (Argument(1, (0, 1, 2, 3, 4, 1030)),),
    # On a file that both map, a shared wake reaches other children. pthread_join needs shared waits: the kernel wakes.
    "futex": (Argument(1, _WAITS + tuple(operation | _PRIVATE for operation in _WAITS + _WAKES)),),
    "ioctl": (Argument(1, (0x5401, 0x5413, 0x5450, 0x5451)),),  # TCGETS, TIOCGWINSZ, FIONCLEX, FIOCLEX
    # O_TRUNC only with the right to write: Landlock before version 3 lets a file that is opened for reading be cut.
    "openat": (Argument(2, (0o0, 0o1, 0o2, 0o1001, 0o1002), mask=0o1003),),
    "prctl": (Argument(0, (15, 16)),),  # PR_SET_NAME, PR_GET_NAME
    # Its own limits, and reading them only: the pointer to new ones is null.
    "prlimit64": (Argument(0, (0,)), Argument(2, (0,)), Argument(2, (0,), high=True)),
}
"""System calls allowed where every condition holds. Any other fails, see `seccomp`."""
