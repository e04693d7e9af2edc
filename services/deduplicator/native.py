"""What all compiled code here has in common: how it is compiled, a hash, and arrays behind addresses."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

U32 = NDArray[np.uint32]

ALL = 0xFFFFFFFF

if TYPE_CHECKING:

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function` compiled on its first call; the result is kept on disk."""

    def _pointer(address: Any) -> Any: ...
    def _array(pointer: Any, shape: tuple[Any], dtype: Any) -> U32: ...
else:
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy")
    _array = numba.carray

    @intrinsic
    def _pointer(typing_context, address):
        """Make a pointer of an address."""

        def generate(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], cgutils.voidptr_t)

        return numba.types.voidptr(numba.types.intp), generate


@compiled
def mix(x):
    """Return a well-distributed 64-bit hash of a 64-bit word (splitmix64, Steele et al. 2014)."""
    x = np.uint64(x)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled
def power_of_two(least):
    """Return the smallest power of two from 64 on that is not below `least`."""
    size = 64
    while size < least:
        size *= 2
    return size


@compiled
def words_at(address, size):
    """Return the array of 32-bit words at an address."""
    return _array(_pointer(address), (size,), np.uint32)
