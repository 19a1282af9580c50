"""Unpacks the numbers that `analysis.report.packed_values` packs, as the script of the report's page does."""

import base64
import zlib

import numpy as np

#: The exponent of a value that does not exist.
_NO_VALUE = -(2**15)


def unpack_numbers(text: str) -> np.ndarray:
    """The values `(N,)` that `pack_numbers` got, rounded; NaN for one that does not exist."""
    planes = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8).reshape(5, -1)
    exponent = np.ascontiguousarray(planes[:2].T).view("<i2").ravel()
    padded = np.concatenate([np.zeros((1, planes.shape[1]), dtype=np.uint8), planes[2:]])
    mantissa = np.ascontiguousarray(padded.T).view("<i4").ravel() >> 8
    pairs = zip(mantissa.tolist(), exponent.tolist(), strict=True)
    return np.array([np.nan if power == _NO_VALUE else float(f"{digits}e{power}") for digits, power in pairs])
