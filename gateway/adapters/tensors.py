"""What a safetensors file holds, read without running or trusting anything in it.

The format: eight bytes with the header's length, the header as JSON (name → dtype, shape, [begin, end)), the numbers.
https://huggingface.co/docs/safetensors#format
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, BinaryIO

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HEADER_LIMIT = 16 << 20
WIDTHS = {"F32": 4, "F16": 2, "BF16": 2}  # what LoRA weights come in; more than these vLLM does not take either
# The last byte of a number (they are little-endian) holds its sign and the exponent's beginning: where it is one of
# these, the exponent may be all ones, which is what infinity and not-a-number have.
_FLOAT_TOPS = re.compile(rb"[\x7f\xff]")
_HALF_TOPS = re.compile(rb"[\x7c-\x7f\xfc-\xff]")


class TensorsRefused(ValueError):
    """The file is no safetensors file of ordinary numbers; the message says where it is not."""


class Tensor(msgspec.Struct, frozen=True):
    """One entry of the header."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


_read_header = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_read_tensor = msgspec.json.Decoder(Tensor).decode


def read_tensors(file: Path) -> Mapping[str, Tensor]:
    """Every tensor of the file by its name, once all of it was found to be whole and finite.

    Raises:
        TensorsRefused: The header is garbage, the file is cut short or holds more than it says, or a number is not
            finite.
        OSError: It cannot be read.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        tensors, start = _header(stream, size)
        ends = 0
        for name, tensor in sorted(tensors.items(), key=lambda item: item[1].data_offsets):
            begin, end = tensor.data_offsets
            if begin != ends or end - begin != _bytes(name, tensor):
                raise TensorsRefused(f"tensor {name!r} does not lie where its shape {tensor.shape} says")
            if start + end > size:
                raise TensorsRefused(f"the file is cut short: {size} bytes, and tensor {name!r} ends at {start + end}")
            _check_finite(name, tensor, stream.read(end - begin))
            ends = end
        if start + ends != size:
            raise TensorsRefused(f"{size - start - ends} bytes follow the last tensor")
    return tensors


def _header(stream: BinaryIO, size: int) -> tuple[dict[str, Tensor], int]:
    length = int.from_bytes(stream.read(8), "little")
    if size < 8 or not 2 <= length <= min(HEADER_LIMIT, size - 8):
        raise TensorsRefused("it does not begin with a safetensors header (a renamed pickle or a truncated file?)")
    try:
        entries = _read_header(stream.read(length))
        tensors = {name: _read_tensor(raw) for name, raw in entries.items() if name != "__metadata__"}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TensorsRefused(f"its header is garbage: {error}") from error
    return tensors, 8 + length


def _bytes(name: str, tensor: Tensor) -> int:
    width = WIDTHS.get(tensor.dtype)
    if width is None:
        raise TensorsRefused(f"tensor {name!r} is {tensor.dtype}; save the adapter as {', '.join(WIDTHS)}")
    if any(side < 0 for side in tensor.shape):
        raise TensorsRefused(f"tensor {name!r} has the shape {tensor.shape}")
    return math.prod(tensor.shape) * width


def _check_finite(name: str, tensor: Tensor, data: bytes) -> None:
    width = WIDTHS[tensor.dtype]
    tops = data[width - 1 :: width]
    if tensor.dtype == "F16":
        found = _HALF_TOPS.search(tops)
        bad = found.start() if found else None
    else:
        nexts = data[width - 2 :: width]  # its first bit is the exponent's last
        bad = next((hit.start() for hit in _FLOAT_TOPS.finditer(tops) if nexts[hit.start()] & 0x80), None)
    if bad is not None:
        raise TensorsRefused(f"tensor {name!r} holds a number that is not finite, at {bad}")
