"""The C library's calls that Python does not offer, with errors raised."""

from __future__ import annotations

import ctypes
import os

__all__ = [
    "CLONE_NEWIPC",
    "CLONE_NEWNET",
    "CLONE_NEWPID",
    "CLONE_NEWUSER",
    "CLONE_NEWUTS",
    "allocate",
    "call",
    "capabilities",
    "heap_end",
    "prctl",
    "set_capabilities",
    "syscall",
]

CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

_CAPABILITY_VERSION_3 = 0x2008_0522
_libc = ctypes.CDLL(None, use_errno=True)
_libc.malloc.argtypes = [ctypes.c_size_t]
_libc.malloc.restype = ctypes.c_void_p
_libc.sbrk.argtypes = [ctypes.c_ssize_t]
_libc.sbrk.restype = ctypes.c_void_p


def call(name: str, *arguments: object) -> int:
    """Call the C function *name*; raise OSError where it returns -1."""
    result: int = getattr(_libc, name)(*arguments)
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


def allocate(size: int) -> int:
    """The address of *size* bytes that are never given back. Raises MemoryError."""
    address: int | None = _libc.malloc(size)
    if address is None:
        raise MemoryError
    return address


def heap_end() -> int:
    """The first address beyond the heap."""
    address: int = _libc.sbrk(0)
    return address


def prctl(option: int, *arguments: object) -> int:
    """prctl(2), the arguments left out being zero."""
    return call("prctl", option, *_registers(*arguments, *[0] * (4 - len(arguments))))


def syscall(number: int, *arguments: object) -> int:
    """A system call by its number."""
    return call("syscall", *_registers(number, *arguments))


def _registers(*arguments: object) -> list[object]:
    # Variadic functions read whole registers; ctypes would pass a plain int as 32 bits.
    return [ctypes.c_ulong(argument) if isinstance(argument, int) else argument for argument in arguments]


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def capabilities() -> int:
    """The caller's effective capabilities as a bit set."""
    sets = (_Sets * 2)()
    call("capget", ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), sets)
    return int(sets[0].effective) | int(sets[1].effective) << 32


def set_capabilities(kept: int) -> None:
    """Keep the capabilities of the bit set *kept*, effective and permitted, and lose all others for good."""
    sets = (_Sets * 2)()
    for half, bits in zip(sets, (kept & 0xFFFF_FFFF, kept >> 32), strict=True):
        half.effective = half.permitted = bits
    call("capset", ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), sets)
