"""seccomp: the policy's list of system calls as a BPF program, and its enforcement.

The program sees `struct seccomp_data {int nr; u32 arch; u64 ip; u64 args[6];}` and nothing behind a pointer. A foreign
architecture kills; a call in the list passes; a call that C libraries can do without gives ENOSYS, so that they fall
back (clone3 to clone, whose flags can be seen); any other gives EPERM.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from collections.abc import Collection, Mapping, Sequence

from autograder.sandbox import libc
from autograder.sandbox.policy import Argument
from autograder.sandbox.syscalls import FIRST_UNIFORM, Architecture

__all__ = ["assemble", "available", "enforce"]

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06  # BPF codes: class, size, mode
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF_0000, 0x0005_0000, 0x8000_0000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in seccomp_data
_GET_SECCOMP, _SET_SECCOMP, _MODE_FILTER = 21, 22, 2


def available() -> bool:
    """Whether the kernel has seccomp."""
    try:
        return libc.prctl(_GET_SECCOMP) >= 0
    except OSError:
        return False


_Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, operand; jumps count the instructions skipped."""


def assemble(
    architecture: Architecture, *, free: Collection[str], conditional: Mapping[str, Sequence[Argument]]
) -> bytes:
    """The program that allows the calls *free*, and those *conditional* where every condition holds.

    Names that the architecture lacks are passed over. Returns the array of `struct sock_filter`.
    """
    numbers = architecture.numbers
    program: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if architecture.foreign is not None:
        program += [(_AT_LEAST, 0, 1, architecture.foreign), (_RETURN, 0, 0, _KILL_PROCESS)]
    for number in sorted(numbers[name] for name in free if name in numbers):
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for name, conditions in conditional.items():
        body = [instruction for condition in conditions for instruction in _condition(condition)]
        body.append((_RETURN, 0, 0, _ALLOW))
        program += [(_EQUAL, 0, len(body), numbers[name]), *body]
    program += [
        (_AT_LEAST, 0, 1, FIRST_UNIFORM),
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


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def enforce(program: bytes) -> None:
    """Put the calling thread under *program* for good; it must have set no_new_privs. Raises OSError."""
    filter_ = _Program(length=len(program) // struct.calcsize("=HBBI"), instructions=program)
    libc.prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.byref(filter_))
