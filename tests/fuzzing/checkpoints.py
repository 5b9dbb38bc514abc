"""Mutated files of weights, and what must hold when one is read."""

from __future__ import annotations

import io
import json
import struct
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import safetensors.numpy
import torch

import archspec
from archspec.diagnostics import ArchspecError
from archspec.network import Network
from tests.fuzzing.corpus import NUMBERS
from tests.fuzzing.mutations import mutated_bytes
from tests.fuzzing.texts import unsound

SPEC = """
archspec: 1
name: net
input: [2, 4, 4]
layers: [conv: {channels: 3, kernel: 3}, batch_norm, flatten, linear: 2]
"""


@cache
def network() -> Network:
    """The network that the files are for."""
    return archspec.parse(SPEC)


@cache
def files() -> tuple[tuple[str, bytes], ...]:
    """A file of its weights in each format, with the ending of the format."""
    arrays = network().weights()
    tensors = {key: torch.from_numpy(array) for key, array in arrays.items()}
    saved: list[tuple[str, bytes]] = [("safetensors", safetensors.numpy.save(arrays))]
    for content, zipped in ((tensors, True), (tensors, False), ({"state_dict": tensors, "epoch": 3}, True)):
        buffer = io.BytesIO()
        torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
        saved.append(("pth", buffer.getvalue()))
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, **arrays)
        saved.append(("npz", buffer.getvalue()))
    return tuple(saved)


def mutated_file(random: Random) -> tuple[str, bytes]:
    """The ending and the bytes of a file of weights with faults."""
    ending, data = random.choice(files())
    if ending == "safetensors" and random.random() < 0.6:
        data = _mutated_header(random, data)
    else:
        data = mutated_bytes(random, data, most=3)
    return (random.choice(("safetensors", "pth", "npz", "bin", "")) if random.random() < 0.1 else ending), data


def _mutated_header(random: Random, data: bytes) -> bytes:
    """A safetensors file whose header says something else of a tensor, or of its own length."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    for _ in range(random.randint(1, 3)):
        entry = header[random.choice(list(header))]
        if not isinstance(entry, dict):
            continue
        key = random.choice(("dtype", "shape", "data_offsets", "extra"))
        values = ([random.choice(NUMBERS)], [], None, "F16", "BOOL", {}, [0, 2**62], [-1, 4], [2**32, 2**32])
        entry[key] = random.choice(values)
    text = json.dumps(header).encode()
    stated = random.choice((len(text), len(text), len(text) - 1, 0, 2**63, 2**31))
    return struct.pack("<Q", stated) + text + data[8 + length :]


def file_problems(path: Path) -> Iterator[str]:
    """How reading a file of weights fails: with unsound diagnostics. Whatever else it raises is a failure too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for read in (network().weights_report, network().weights):
            try:
                read(path)
            except ArchspecError as error:
                yield from unsound(error.diagnostics)
