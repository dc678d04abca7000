"""Llama models as numbers: what a training step costs can be counted without a checkpoint, a download or a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Shape(NamedTuple):
    """A Llama's sizes, as its config.json names them."""

    name: str
    hidden: int
    intermediate: int
    layers: int
    heads: int
    key_value_heads: int
    vocabulary: int
    tied: bool = False  # the LM head is the embedding again

    @property
    def matrices(self) -> dict[str, tuple[int, int]]:
        """Of one layer: (rows, columns) of each linear map."""
        narrow = self.hidden // self.heads * self.key_value_heads
        return {
            "q_proj": (self.hidden, self.hidden),
            "k_proj": (narrow, self.hidden),
            "v_proj": (narrow, self.hidden),
            "o_proj": (self.hidden, self.hidden),
            "gate_proj": (self.intermediate, self.hidden),
            "up_proj": (self.intermediate, self.hidden),
            "down_proj": (self.hidden, self.intermediate),
        }

    @property
    def body(self) -> int:
        """Numbers in the linear maps of all layers: what every token is multiplied with."""
        return self.layers * sum(rows * columns for rows, columns in self.matrices.values())

    @property
    def head(self) -> int:
        """Numbers in the LM head: what an answer token is multiplied with besides."""
        return self.vocabulary * self.hidden

    @property
    def rest(self) -> int:
        """Numbers that nothing is multiplied with as a matrix: the embedding, unless it is the head, and the norms."""
        return (0 if self.tied else self.head) + (2 * self.layers + 1) * self.hidden

    def adapted(self, rank: int, targets: tuple[str, ...]) -> int:
        """Numbers in a LoRA adapter of that rank on those maps."""
        return self.layers * sum(rank * sum(self.matrices[name]) for name in targets)

    def quantized(self) -> Iterator[int]:
        """The size of each map that NF4 holds; transformers leaves embedding, norms and head as they are."""
        for _ in range(self.layers):
            yield from (rows * columns for rows, columns in self.matrices.values())


SHAPES = {
    "135m": Shape("SmolLM2-135M", 576, 1536, 30, 9, 3, 49_152, tied=True),
    "8b": Shape("Llama-3-8B", 4096, 14_336, 32, 32, 8, 128_256),
    "70b": Shape("Llama-3-70B", 8192, 28_672, 80, 64, 8, 128_256),
}


def nf4_bytes(numbers: int) -> int:
    """What bitsandbytes keeps of one matrix in NF4 with double quantisation (Dettmers et al. 2023, section 3).

    Half a byte a number; a byte of scale for each block of 64; a float32 for each 256 of those scales and one for
    their mean; and two tables of float32, 16 values for the numbers and 256 for the scales.
    """
    scales = -(-numbers // 64)
    return -(-numbers // 2) + scales + 4 * -(-scales // 256) + 4 + 4 * 16 + 4 * 256
