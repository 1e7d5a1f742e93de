"""The C library's calls that Python does not offer, with errors raised."""

import ctypes
import os
import struct

__all__ = ["call", "capabilities", "prctl", "set_capabilities", "syscall"]

_CAPABILITY_HEADER = struct.pack("=Ii", 0x2008_0522, 0)  # version 3, the calling thread
_libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> int:
    """Call the C function *name*; raise OSError where it returns -1."""
    # Variadic functions read whole registers; ctypes would pass a plain int as 32 bits.
    registers = (ctypes.c_ulong(argument) if isinstance(argument, int) else argument for argument in arguments)
    result: int = getattr(_libc, name)(*registers)
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


def prctl(option: int, *arguments: object) -> int:
    """prctl(2), the arguments left out being zero."""
    return call("prctl", option, *arguments, *[0] * (4 - len(arguments)))


def syscall(number: int, *arguments: object) -> int:
    """A system call by its number."""
    return call("syscall", number, *arguments)


def capabilities() -> int:
    """The caller's effective capabilities as a bit set."""
    sets = ctypes.create_string_buffer(24)
    call("capget", _CAPABILITY_HEADER, sets)
    low, _, _, high, _, _ = struct.unpack("=6I", sets.raw)
    return int(low | high << 32)


def set_capabilities(kept: int) -> None:
    """Keep the capabilities of the bit set *kept*, effective and permitted, and lose all others for good."""
    low, high = kept & 0xFFFF_FFFF, kept >> 32
    call("capset", _CAPABILITY_HEADER, struct.pack("=6I", low, low, 0, high, high, 0))
