"""What libraries say at their import, whether it concerns the run or not."""

from __future__ import annotations

import logging


def hush() -> None:
    """Keep bitsandbytes from telling everybody that it misses a kernel: PEFT imports it in four bits or not."""
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
