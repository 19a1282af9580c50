"""Parquet image sets of random pixels, as model hubs publish them."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from trainables.config import DataConfig

IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def encode(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG")
    return stream.getvalue()


def random_pixels(count: int, *, colour: bool = True, size: int = 6) -> np.ndarray:
    shape = (count, size, size, 3) if colour else (count, size, size)
    return np.random.default_rng(count).integers(0, 256, shape, dtype=np.uint8)


def image_array(encoded: list[bytes | None]) -> pa.Array:
    return pa.array([{"bytes": data, "path": None} for data in encoded], type=IMAGE_TYPE)


def write(path: Path, encoded: list[bytes | None], labels: pa.Array, names: list[str] | None = None) -> None:
    features = {"info": {"features": {"label": {"names": names}}}}
    schema = pa.schema(
        [("img", IMAGE_TYPE), ("label", labels.type)],
        metadata={"huggingface": json.dumps(features)} if names else None,
    )
    table = pa.table({"img": image_array(encoded), "label": labels}, schema=schema)
    pq.write_table(table, path, row_group_size=16)


def write_set(folder: Path, *, colour: bool = True, names: list[str] | None = None) -> dict[str, np.ndarray]:
    """A good set of 40 training and 20 test images of two classes; returns the pixels."""
    pixels = {}
    for part, count in (("train", 40), ("test", 20)):
        pixels[part] = random_pixels(count, colour=colour)
        write(
            folder / f"{part}.parquet",
            list(map(encode, pixels[part])),
            pa.array([0, 1] * (count // 2)),
            names,
        )
    return pixels


def config(folder: Path, **limits: int) -> DataConfig:
    return DataConfig(name=f"parquet:{folder}", **limits)
