"""seccomp: the policy's list of system calls as a BPF program, and its enforcement.

The program sees `struct seccomp_data {int nr; u32 arch; u64 ip; u64 args[6];}` and nothing behind a pointer. A foreign
architecture kills; a call in the list passes where its conditions hold; a call that C libraries can do without gives
ENOSYS, so that they fall back (clone3 to clone, whose flags can be seen); any other gives EPERM.
"""

import ctypes
import errno
import platform
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.sandbox import libc
from autograder.sandbox.policy import Argument

__all__ = ["Architecture", "architecture", "assemble", "enforce"]

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06  # BPF codes: class, size, mode
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF_0000, 0x0005_0000, 0x8000_0000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in seccomp_data
_GET_SECCOMP, _SET_SECCOMP, _MODE_FILTER = 21, 22, 2
_FIRST_UNIFORM = 424  # from this number on (Linux 5.1), calls are numbered alike everywhere; C libraries can fall back

_Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false (how many to skip), operand


@dataclass(frozen=True)
class Architecture:
    """A kind of machine: AUDIT_ARCH_*, the calls' numbers, and where those of another calling convention begin."""

    audit: int
    numbers: Mapping[str, int]
    foreign: int = 0xFFFF_FFFF


def architecture() -> Architecture | None:
    """This machine's, or None where it is not known or the kernel lacks seccomp."""
    try:
        libc.prctl(_GET_SECCOMP)
    except OSError:
        return None
    return _ARCHITECTURES.get(platform.machine())


def assemble(architecture: Architecture, calls: Mapping[str, Sequence[Argument]]) -> bytes:
    """The program, an array of `struct sock_filter`, that allows each of the *calls* where all its conditions hold.

    Names that the architecture lacks are passed over.
    """
    program: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, architecture.foreign),
        (_RETURN, 0, 0, _KILL_PROCESS),
    ]
    for name, number in architecture.numbers.items():
        if name in calls:
            body = [instruction for condition in calls[name] for instruction in _condition(condition)]
            program += [(_EQUAL, 0, len(body) + 1, number), *body, (_RETURN, 0, 0, _ALLOW)]
    program += [
        (_AT_LEAST, 0, 1, _FIRST_UNIFORM),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _condition(condition: Argument) -> list[_Instruction]:
    """Go on with the next instruction where *condition* holds, else fail the call."""
    count = len(condition.values)
    return [
        (_LOAD, 0, 0, _ARGUMENTS + 8 * condition.index + 4 * condition.high),  # both architectures are little-endian
        (_AND, 0, 0, condition.mask),
        *((_EQUAL, count - place, 0, value) for place, value in enumerate(condition.values)),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]


def enforce(program: bytes) -> None:
    """Put the calling thread under *program* for good; it must have set no_new_privs. Raises OSError."""
    instructions = ctypes.create_string_buffer(program)
    filter_ = struct.pack("@HP", len(program) // struct.calcsize("=HBBI"), ctypes.addressof(instructions))
    libc.prctl(_SET_SECCOMP, _MODE_FILTER, filter_)


def _numbers(table: str) -> dict[str, int]:
    words = table.split()
    return {name: int(number) for name, number in zip(words[::2], words[1::2], strict=True)}


# From the kernel's arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
_X86_64 = """
read 0 write 1 close 3 stat 4 fstat 5 lstat 6 poll 7 lseek 8 mmap 9 mprotect 10 munmap 11 brk 12 rt_sigaction 13
rt_sigprocmask 14 rt_sigreturn 15 ioctl 16 pread64 17 readv 19 writev 20 access 21 select 23 sched_yield 24 mremap 25
madvise 28 dup 32 dup2 33 nanosleep 35 getitimer 36 alarm 37 setitimer 38 getpid 39 clone 56 exit 60 uname 63 fcntl 72
getcwd 79 gettimeofday 96 getrlimit 97 getrusage 98 sysinfo 99 times 100 getuid 102 getgid 104 geteuid 107 getegid 108
getppid 110 getpgrp 111 getpgid 121 sigaltstack 131 prctl 157 gettid 186 time 201 futex 202 sched_getaffinity 204
getdents64 217 set_tid_address 218 restart_syscall 219 clock_gettime 228 clock_getres 229 clock_nanosleep 230
exit_group 231 openat 257 newfstatat 262 faccessat 269 pselect6 270 ppoll 271 set_robust_list 273 dup3 292 preadv 295
prlimit64 302 getcpu 309 getrandom 318 membarrier 324 statx 332 rseq 334
"""
_AARCH64 = """
getcwd 17 dup 23 dup3 24 fcntl 25 ioctl 29 faccessat 48 openat 56 close 57 getdents64 61 lseek 62 read 63 write 64
readv 65 writev 66 pread64 67 preadv 69 pselect6 72 ppoll 73 newfstatat 79 fstat 80 exit 93 exit_group 94
set_tid_address 96 futex 98 set_robust_list 99 nanosleep 101 getitimer 102 setitimer 103 clock_gettime 113
clock_getres 114 clock_nanosleep 115 sched_getaffinity 123 sched_yield 124 restart_syscall 128 sigaltstack 132
rt_sigaction 134 rt_sigprocmask 135 rt_sigreturn 139 times 153 getpgid 155 uname 160 getrlimit 163 getrusage 165
prctl 167 getcpu 168 gettimeofday 169 getpid 172 getppid 173 getuid 174 geteuid 175 getgid 176 getegid 177 gettid 178
sysinfo 179 brk 214 munmap 215 mremap 216 clone 220 mmap 222 mprotect 226 madvise 233 prlimit64 261 getrandom 278
membarrier 283 statx 291 rseq 293
"""
_ARCHITECTURES = {
    "x86_64": Architecture(0xC000_003E, _numbers(_X86_64), foreign=0x4000_0000),  # where x32's begin
    "aarch64": Architecture(0xC000_00B7, _numbers(_AARCH64)),
}
