"""Which models these are: a fingerprint of all that decides what they make of the same bronze."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

from lakehouse.transform.dbt_runner import PROJECT_FOLDER

OURS = "nova_corrente"
MAKERS = ("model", "seed")


def fingerprint(manifest: Manifest) -> str:
    """The same as long as no SQL, macro, seed, type or setting of a model is another.

    Descriptions and tests do not count: they make no row.
    """
    parts = [(PROJECT_FOLDER / "dbt_project.yml").read_text("utf8")]
    for name, macro in sorted(manifest.macros.items()):
        if macro.package_name == OURS and not macro.name.startswith("test_"):
            parts += [name, macro.macro_sql]
    for name, node in sorted(manifest.nodes.items()):
        if node.resource_type in MAKERS:
            types = {column.name: column.data_type for column in node.columns.values()}
            settings = json.dumps(node.config.to_dict(), sort_keys=True, default=str)
            parts += [name, node.checksum.checksum, json.dumps(types), settings]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
