"""What can go wrong with the store, told apart by what to do about it.

StoreError
├── StoreGone       cannot be reached, is locked or full: try again
├── StoreRefused    will not take this: trying again does not help
└── StoreTooNew     was written by a newer program: use that one
"""

from __future__ import annotations


class StoreError(Exception):
    """The store did not do what was asked; nothing of it was kept."""


class StoreGone(StoreError):
    """It cannot be reached, is locked or full."""


class StoreRefused(StoreError):
    """It will not take this data, or does not have what was named."""


class StoreTooNew(StoreError):
    """It has a schema that this program does not know."""
