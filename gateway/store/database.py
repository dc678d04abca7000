"""The store: everything that is kept, one repository a table, created and brought up to date when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.store.adapters import Adapters
from gateway.store.aliases import Aliases
from gateway.store.changes import Changes
from gateway.store.connection import Database
from gateway.store.escalations import Escalations
from gateway.store.feedback import Opinions
from gateway.store.inferences import Inferences
from gateway.store.keys import Keys
from gateway.store.migrate import migrate
from gateway.store.records import Escalation, Event, Feedback, Inference, Retraction

if TYPE_CHECKING:
    from collections.abc import Sequence


class Store:
    """The store at `url`, `sqlite:///PATH` or `postgresql://USER@HOST/NAME`; every method blocks, from any thread.

    Raises:
        StoreGone: It cannot be reached.
        StoreTooNew: A newer program wrote it.
        StoreError: The URL is none of these two.
    """

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        migrate(self.database)
        self.inferences = Inferences(self.database)
        self.feedback = Opinions(self.database)
        self.escalations = Escalations(self.database)
        self.changes = Changes(self.database)
        self.adapters = Adapters(self.database, self.changes)
        self.aliases = Aliases(self.database, self.changes)
        self.keys = Keys(self.database)

    def keep(self, events: Sequence[Event]) -> None:
        """Writes all events in one transaction; those that are there already, told by their id, change nothing.

        Raises:
            StoreGone: The store cannot be reached; try again.
            StoreRefused: One of them cannot be written; none was.
        """
        with self.database.writing() as connection:
            self.inferences.add(connection, [one for one in events if isinstance(one, Inference)])
            self.feedback.add(connection, [one for one in events if isinstance(one, Feedback)])
            self.feedback.retract(connection, [one for one in events if isinstance(one, Retraction)])
            self.escalations.add(connection, [one for one in events if isinstance(one, Escalation)])

    def close(self) -> None:
        self.database.close()
