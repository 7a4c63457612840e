"""The dbt-duckdb plugin that gives dbt's own connection the delta extension; see dbt/profiles.yml.

A plugin, and not the profile's `extensions`, because those are looked for on the network.
"""

from __future__ import annotations

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from lakehouse import duck


class Plugin(BasePlugin):
    """Loads the extension whenever dbt opens the database."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        duck.load(conn, "delta")
