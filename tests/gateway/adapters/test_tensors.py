"""A safetensors file is read as data: whatever is wrong with it is said, and nothing in it is run."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_adapters import ONE, safetensors
from safetensors.numpy import save_file

from gateway.adapters.tensors import TensorsRefused, read_tensors

if TYPE_CHECKING:
    from pathlib import Path

GOOD = safetensors({"a": [2, 3], "b": [3, 2]})
ANY_BYTES = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(tmp_path: Path, data: bytes) -> Path:
    file = tmp_path / "adapter_model.safetensors"
    file.write_bytes(data)
    return file


def test_reads_what_the_library_writes(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    save_file({"a": np.ones((2, 3), np.float16), "b": np.zeros((0, 4), np.float32)}, file)
    assert {name: one.shape for name, one in read_tensors(file).items()} == {"a": (2, 3), "b": (0, 4)}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "does not begin"),
        (b"\x80\x04\x95rest of a pickle", "renamed pickle"),
        (b"PK\x03\x04" + bytes(40), "renamed pickle"),
        ((10).to_bytes(8, "little") + b"{garbage!}" + bytes(9), "header is garbage"),
        ((10).to_bytes(8, "little") + b'{"a": 123}' + bytes(9), "header is garbage"),
        (GOOD[:-1], "cut short"),
        (GOOD + b"x", "1 bytes follow"),
        (GOOD.replace(b"[2, 3]", b"[2, 4]"), "does not lie where"),
        (GOOD.replace(b"[2, 3]", b"[-2,3]"), "has the shape"),
        (GOOD.replace(b"F32", b"I64", 1), "is I64"),
        (safetensors({"a": [2, 3]}, struct.pack("<f", float("nan"))), "not finite, at 0"),
        (safetensors({"a": [2, 3]}, struct.pack("<f", float("-inf"))), "not finite"),
        (safetensors({"a": [2, 3]}, struct.pack("<e", float("inf")), "F16"), "not finite"),
        (safetensors({"a": [2, 3]}, struct.pack("<f", float("nan"))[2:], "BF16"), "not finite"),
    ],
)
def test_what_is_no_whole_file_of_finite_numbers_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(TensorsRefused, match=words):
        read_tensors(written(tmp_path, data))


@ANY_BYTES
@given(value=st.floats(width=32), dtype=st.sampled_from(["F32", "BF16"]))
def test_exactly_what_is_not_finite_is_refused(tmp_path: Path, value: float, dtype: str) -> None:
    """Against numpy's word, among other numbers, in fp32 and cut to bf16."""
    raw = struct.pack("<f", value)
    stored = raw if dtype == "F32" else raw[2:]
    one = ONE if dtype == "F32" else ONE[2:]
    data = safetensors({"a": [3]}, one, dtype)
    file = written(tmp_path, data[: -2 * len(one)] + stored + one)
    seen = raw if dtype == "F32" else bytes(2) + stored
    if np.isfinite(struct.unpack("<f", seen)[0]):
        read_tensors(file)
    else:
        with pytest.raises(TensorsRefused, match="at 1"):
            read_tensors(file)


@ANY_BYTES
@given(value=st.integers(0, 0xFFFF))
def test_half_precision_is_judged_as_numpy_does(tmp_path: Path, value: int) -> None:
    raw = value.to_bytes(2, "little")
    file = written(tmp_path, safetensors({"a": [1]}, raw, "F16"))
    if np.isfinite(np.frombuffer(raw, np.float16)[0]):
        read_tensors(file)
    else:
        with pytest.raises(TensorsRefused):
            read_tensors(file)


@ANY_BYTES
@given(cut=st.integers(0, len(GOOD)), at=st.integers(0, len(GOOD) - 1), byte=st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path: Path, cut: int, at: int, byte: int) -> None:
    damaged = bytearray(GOOD)
    damaged[at] = byte
    for data in (bytes(damaged), GOOD[:cut], bytes(damaged)[cut:]):
        try:
            read_tensors(written(tmp_path, data))
        except TensorsRefused:
            continue
