"""Bronze Delta tables: opened or made, asked what they hold, and appended to in one commit.

A commit carries one transaction id a file it holds, so the table itself knows which files it has,
for ever: transaction ids outlive checkpoints and log cleanup, other metadata of a commit do not.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from lakehouse import duck
from lakehouse.bronze import policy
from lakehouse.bronze.parts import Layout, Parts
from lakehouse.errors import LakehouseError, first_line, one_line
from lakehouse.settings import Settings

log = logging.getLogger("lakehouse.bronze")

BATCHES = "lakehouse.batch"
"""The transaction id whose version is the table's last batch; two writers of one batch collide."""
ROWS = "lakehouse.rows"
"""The transaction id whose version is how many rows all batches up to now have brought."""
STATISTICS = "delta.dataSkippingStatsColumns"


def table_uri(settings: Settings, source: str, entity: str) -> str:
    """Where the bronze table of an entity lies."""
    return f"{settings.bronze_uri}/{source}/{entity}"


def exists(uri: str) -> bool:
    """Whether there is a table."""
    return Path(uri, "_delta_log").is_dir()


def folder(uri: str) -> Path:
    """The folder of a table."""
    return Path(uri)


@dataclass(frozen=True)
class Table:
    """A table as it was when it was opened: a commit by another since then makes ours fail."""

    uri: str
    layout: Layout
    delta: DeltaTable

    def version_of(self, transaction_id: str) -> int | None:
        """The version that the id was last committed with; None if no commit carried it."""
        found = self.delta.transaction_version(transaction_id)
        return None if found is None else int(found)

    def has(self, transaction_id: str) -> bool:
        """Whether a commit carried the id."""
        return self.version_of(transaction_id) is not None

    def next_batch(self) -> int:
        """One more than the last batch committed."""
        return (self.version_of(BATCHES) or 0) + 1

    def rows(self) -> int:
        """How many rows were ever appended; nothing is ever taken away."""
        return rows_of(self.delta)

    @contextmanager
    def parts(self, partition: Mapping[str, str]) -> Iterator[Parts]:
        """Parts to write and commit in the block; what it surely did not commit is removed.

        What no commit names in the end, maintenance takes.
        """
        parts = Parts(folder(self.uri), self.layout, partition)
        with writing(self.uri):
            try:
                yield parts
            except CommitFailedError:
                parts.withdraw()
                raise
            finally:
                parts.discard()

    def commit(
        self,
        actions: Sequence[AddAction | RemoveAction],
        transactions: Mapping[str, int],
    ) -> None:
        """Commit parts and transaction ids as one; CommitFailedError if another was first."""
        ids = [Transaction(name, version) for name, version in transactions.items()]
        try:
            self.delta.create_write_transaction(
                list(actions),
                mode="append",
                schema=self.delta.schema(),
                partition_by=list(self.layout.partition_by),
                commit_properties=CommitProperties(app_transactions=ids),
            )
        except CommitFailedError:
            raise
        except (DeltaError, OSError) as error:
            # What comes after the commit can fail, too: the checkpoint of every so many commits.
            if not self._holds(actions, transactions):
                raise
            log.warning("%s: committed, but then: %s", self.uri, first_line(error))

    def _holds(
        self, actions: Sequence[AddAction | RemoveAction], transactions: Mapping[str, int]
    ) -> bool:
        """Whether the table has this commit by now: names of parts are given once."""
        now = Table(self.uri, self.layout, opened(self.uri))
        added = {action.path for action in actions if isinstance(action, AddAction)}
        live = set(pa.table(now.delta.get_add_actions(flatten=True))["path"].to_pylist())
        is_known = all(now.version_of(name) == version for name, version in transactions.items())
        return is_known and added <= live


def rows_of(delta: DeltaTable) -> int:
    """How many rows were ever appended to a table, by its own record."""
    recorded = delta.transaction_version(ROWS)
    if recorded is not None:
        return int(recorded)
    adds = pa.table(delta.get_add_actions(flatten=True))
    return sum(filter(None, adds["num_records"].to_pylist()))


@contextmanager
def writing(uri: str) -> Iterator[None]:
    """Turn what Delta and the disk say about a write into what happened and the way on."""
    try:
        yield
    except CommitFailedError:
        raise
    except (DeltaError, OSError) as error:
        raise LakehouseError(
            f"the table {uri} cannot be written: {first_line(error)}",
            hint="nothing is half done; mend it and run `lakehouse bronze load` again",
        ) from error


def opened(uri: str) -> DeltaTable:
    """The table as it is now."""
    try:
        return _delta(uri)
    except (DeltaError, OSError) as error:
        raise unopened(uri, error) from error


def opened_or_made(uri: str, layout: Layout) -> DeltaTable:
    """The table as it is now, made empty if it is not there yet."""
    try:
        try:
            return _delta(uri)
        except TableNotFoundError:
            DeltaTable.create(
                uri,
                layout.schema,
                mode="ignore",
                partition_by=list(layout.partition_by),
                description=layout.description,
                configuration={
                    STATISTICS: ",".join(layout.bounded),
                    **policy.CONFIGURATION,
                    **layout.configuration,
                },
            )
            return DeltaTable(uri)
    except (DeltaError, OSError) as error:
        raise unopened(uri, error) from error


def _delta(uri: str) -> DeltaTable:
    """The table; a hint that leads to no checkpoint is removed, for it only saves a listing."""
    try:
        return DeltaTable(uri)
    except DeltaError as error:
        hint = Path(uri, "_delta_log", "_last_checkpoint")
        if "_last_checkpoint" not in str(error) or not hint.exists():
            raise
        log.warning("removed %s: %s", hint, first_line(error))
        hint.unlink()
        return DeltaTable(uri)


def unopened(uri: str, error: Exception) -> LakehouseError:
    """What to say of a table that cannot be opened."""
    return LakehouseError(
        f"the table {uri} cannot be opened or made: {first_line(error)}",
        hint="mend what is said, or see `When a table is damaged` in docs/lake.md",
    )


@contextmanager
def reading(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of DuckDB's that reads Delta tables."""
    with duck.in_memory(settings) as connection:
        duck.load(connection, "delta")
        try:
            yield connection
        except duckdb.Error as error:
            raise LakehouseError(
                f"bronze cannot be read: {one_line(error)}",
                hint="see `When a table is damaged` in docs/lake.md",
            ) from error
