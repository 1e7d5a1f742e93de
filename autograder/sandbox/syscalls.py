"""System calls by name, with their numbers on the architectures that the sandbox knows.

From the kernel's arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h (aarch64).
"""

from __future__ import annotations

import platform
from dataclasses import dataclass

__all__ = ["FIRST_UNIFORM", "Architecture", "architecture"]

FIRST_UNIFORM = 424
"""From this number on (Linux 5.1), calls are numbered alike everywhere; C libraries can do without them."""


@dataclass(frozen=True)
class Architecture:
    audit: int
    """AUDIT_ARCH_*, which seccomp compares."""
    numbers: dict[str, int]
    foreign: int | None = None
    """Numbers from here on belong to another calling convention (x32)."""


_X86_64 = """
read 0 write 1 close 3 stat 4 fstat 5 lstat 6 poll 7 lseek 8 mmap 9 mprotect 10 munmap 11 brk 12 rt_sigaction 13
rt_sigprocmask 14 rt_sigreturn 15 ioctl 16 pread64 17 readv 19 writev 20 access 21 select 23 sched_yield 24 mremap 25
mincore 27 madvise 28 dup 32 dup2 33 nanosleep 35 getitimer 36 alarm 37 setitimer 38 getpid 39 clone 56 exit 60
uname 63 fcntl 72 getcwd 79 gettimeofday 96 getrlimit 97 getrusage 98 sysinfo 99 times 100 getuid 102 getgid 104
geteuid 107 getegid 108 getppid 110 getpgrp 111 getpgid 121 sigaltstack 131 prctl 157 gettid 186 time 201 futex 202
sched_getaffinity 204 getdents64 217 set_tid_address 218 restart_syscall 219 clock_gettime 228 clock_getres 229
clock_nanosleep 230 exit_group 231 openat 257 newfstatat 262 faccessat 269 pselect6 270 ppoll 271 set_robust_list 273
dup3 292 preadv 295 prlimit64 302 getcpu 309 getrandom 318 membarrier 324 statx 332 rseq 334
"""

_AARCH64 = """
getcwd 17 dup 23 dup3 24 fcntl 25 ioctl 29 faccessat 48 openat 56 close 57 getdents64 61 lseek 62 read 63 write 64
readv 65 writev 66 pread64 67 preadv 69 pselect6 72 ppoll 73 newfstatat 79 fstat 80 exit 93 exit_group 94
set_tid_address 96 futex 98 set_robust_list 99 nanosleep 101 getitimer 102 setitimer 103 clock_gettime 113
clock_getres 114 clock_nanosleep 115 sched_getaffinity 123 sched_yield 124 restart_syscall 128 sigaltstack 132
rt_sigaction 134 rt_sigprocmask 135 rt_sigreturn 139 times 153 getpgid 155 uname 160 getrlimit 163 getrusage 165
prctl 167 getcpu 168 gettimeofday 169 getpid 172 getppid 173 getuid 174 geteuid 175 getgid 176 getegid 177 gettid 178
sysinfo 179 brk 214 munmap 215 mremap 216 clone 220 mmap 222 mprotect 226 mincore 232 madvise 233 prlimit64 261
getrandom 278 membarrier 283 statx 291 rseq 293
"""


def _numbers(table: str) -> dict[str, int]:
    words = table.split()
    return {name: int(number) for name, number in zip(words[::2], words[1::2], strict=True)}


_ARCHITECTURES = {
    "x86_64": Architecture(0xC000_003E, _numbers(_X86_64), foreign=0x4000_0000),
    "aarch64": Architecture(0xC000_00B7, _numbers(_AARCH64)),
}


def architecture() -> Architecture | None:
    """This machine's, or None where the sandbox does not know it."""
    return _ARCHITECTURES.get(platform.machine())
