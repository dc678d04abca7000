"""The numbered keys behind signed ids: kept with the records they sign, so that a rebuilt home still knows its ids."""

from __future__ import annotations

from os import urandom
from time import time_ns
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from gateway.ids import KEY_BYTES
from gateway.store import schema

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gateway.store.connection import Database

_TABLE = schema.id_keys.c


class Keys:
    """The repository of id keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> tuple[dict[int, bytes], int]:
        """Every key by its number, and the number of the current one: the arguments of `Minter`.

        Makes the first key where there is none; gateways that start at the same moment get the same one.

        Raises:
            StoreGone: The store cannot be reached.
        """
        with self._database.writing() as connection:
            self._add(connection, 1)
            keys = {row.number: row.secret for row in connection.execute(schema.id_keys.select())}
        return keys, max(keys)

    def rotate(self) -> int:
        """Adds a key that signs from each gateway's next start on, and returns its number.

        Ids under older keys stay valid. Start all gateways of one store again, one soon after the other: who has not
        loaded the new key does not know the ids that it signed.

        Raises:
            StoreGone: The store cannot be reached.
        """
        with self._database.writing() as connection:
            number = (connection.scalar(select(func.max(_TABLE.number))) or 0) + 1
            self._add(connection, number)
        return number

    def _add(self, connection: Connection, number: int) -> None:
        key = {"number": number, "secret": urandom(KEY_BYTES), "created_us": time_ns() // 1000}
        self._database.insert_new(connection, schema.id_keys, [key])
