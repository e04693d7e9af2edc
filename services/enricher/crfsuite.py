"""Reader for the CRFsuite model files that underthesea ships.

Format: Naoaki Okazaki, CRFsuite 0.12, `crf1d_model.c` and `quark`/`cqdb` (all little-endian).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_HEADER = np.dtype(
    [
        ("magic", "S4"),
        ("size", "<u4"),
        ("type", "S4"),
        ("version", "<u4"),
        ("features", "<u4"),
        ("labels", "<u4"),
        ("attributes", "<u4"),
        ("features_at", "<u4"),
        ("labels_at", "<u4"),
        ("attributes_at", "<u4"),
        ("label_refs_at", "<u4"),
        ("attribute_refs_at", "<u4"),
    ]
)
_FEATURE = np.dtype([("type", "<u4"), ("source", "<u4"), ("target", "<u4"), ("weight", "<f8")])
_CHUNK_HEADER = 12
_STATE, _TRANSITION = 0, 1


class CrfModel(NamedTuple):
    """A linear-chain model as it lies in the file."""

    labels: tuple[str, ...]
    attributes: dict[str, int]
    """Attribute text, such as `T[0].lower=nam`, to its row in `states`."""
    states: NDArray[np.float64]
    """[attribute, label] weights, zero where the model has none."""
    transitions: NDArray[np.float64]
    """[previous label, label] weights."""


def read_model(path: Path) -> CrfModel:
    """Read a CRFsuite model file. Raises ValueError if it is not one, OSError if it cannot be read."""
    blob = path.read_bytes()
    if len(blob) < _HEADER.itemsize:
        raise ValueError(f"{path} is too short for a CRFsuite model")
    header = np.frombuffer(blob, _HEADER, 1)[0]
    if header["magic"] != b"lCRF" or header["type"] != b"FOMC":
        raise ValueError(f"{path} is not a CRFsuite first-order model")
    labels = _strings(blob, int(header["labels_at"]))
    attributes = _strings(blob, int(header["attributes_at"]))
    first = int(header["features_at"])
    count = int(np.frombuffer(blob, "<u4", 1, first + 8)[0])
    features = np.frombuffer(blob, _FEATURE, count, first + _CHUNK_HEADER)
    states = np.zeros((len(attributes), len(labels)))
    transitions = np.zeros((len(labels), len(labels)))
    for kind, matrix in ((_STATE, states), (_TRANSITION, transitions)):
        chosen = features[features["type"] == kind]
        matrix[chosen["source"], chosen["target"]] = chosen["weight"]
    return CrfModel(tuple(labels), {a: i for i, a in enumerate(attributes)}, states, transitions)


def _strings(blob: bytes, start: int) -> list[str]:
    """Return the strings of the constant quark database at `start`, in order of their ids."""
    if blob[start : start + 4] != b"CQDB":
        raise ValueError("the string table of the CRFsuite model is damaged")
    count, backward = np.frombuffer(blob, "<u4", 2, start + 16)
    strings = []
    for offset in np.frombuffer(blob, "<u4", int(count), start + int(backward)):
        entry = start + int(offset)
        size = int(np.frombuffer(blob, "<u4", 1, entry + 4)[0])
        strings.append(blob[entry + 8 : entry + 8 + size].rstrip(b"\0").decode())
    return strings
