"""Many numbers as a short text that the report's page unpacks: values of six significant digits, and small codes."""

import base64
import zlib

import numpy as np

DIGITS = 6

#: Stands for a value that does not exist. No number has this exponent.
_NO_VALUE = -(2**15)
_LEAST_EXPONENT = -307  # 10 ** 308 is the largest power of ten


def pack_numbers(values: np.ndarray) -> str:
    """The N values in base64, rounded to six significant digits. A value that is not finite does not exist.

    The bytes are compressed with zlib. They are five planes of N bytes each: the lower and the upper byte of the
    power of ten, then the three bytes of the mantissa, the lowest first. Both numbers are signed. Bytes of the same
    meaning are adjacent, because they compress better.
    """
    known = np.isfinite(values)
    size = np.abs(np.where(known, values, 0.0))
    exponent = np.floor(np.log10(size, out=np.zeros(size.shape), where=size > 0)).astype(int) - (DIGITS - 1)
    exponent = np.maximum(exponent, _LEAST_EXPONENT)
    mantissa = np.rint(_scaled(np.where(known, values, 0.0), -exponent)).astype("<i4")
    planes = [*_bytes(np.where(known, exponent, _NO_VALUE).astype("<i2")), *_bytes(mantissa)[:3]]
    return pack_bytes(b"".join(plane.tobytes() for plane in planes))


def pack_codes(codes: np.ndarray) -> str:
    """The N codes from 0 to 255 in base64: one byte each, compressed with zlib."""
    return pack_bytes(codes.astype(np.uint8).tobytes())


def pack_bytes(content: bytes) -> str:
    """The bytes in base64, compressed with zlib."""
    return base64.b64encode(zlib.compress(content, level=6)).decode()


def _scaled(values: np.ndarray, power: np.ndarray) -> np.ndarray:
    """`values * 10 ** power`. For negative powers it divides, since negative powers of ten are not exact."""
    return np.where(power < 0, values / 10.0 ** np.maximum(-power, 0), values * 10.0 ** np.maximum(power, 0))


def _bytes(numbers: np.ndarray) -> np.ndarray:
    """One row for each byte of the numbers `(N,)`, the lowest first."""
    return numbers.view(np.uint8).reshape(len(numbers), -1).T
