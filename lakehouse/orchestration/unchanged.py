"""A day on which nothing changed: a build would only make again what was published last.

What is served follows from three things: which batches of bronze were built and tested, the project
(its code, models and expectations), and the engine. A hash of them goes with the marts through the
gate, so that a run that failed or was refused in between is never taken for one that was published.
"""

from __future__ import annotations

import hashlib
import json

from lakehouse import publish, transform
from lakehouse.settings import PROJECT, Settings

FOLDERS = ("dbt", "expectations", "lakehouse")
FILES = ("requirements.txt",)
SUFFIXES = frozenset({".csv", ".md", ".py", ".sql", ".txt", ".yaml", ".yml"})
MADE_BY_DBT = frozenset({"dbt_packages", "logs", "target"})


def inputs(settings: Settings) -> str | None:
    """A hash of all that the marts follow from; None while they are not built and tested."""
    batches = transform.tested(settings)
    if batches is None:
        return None
    known = json.dumps([_project(), settings.engine, batches], sort_keys=True)
    return hashlib.sha256(known.encode()).hexdigest()


def since(settings: Settings) -> str | None:
    """Why nothing has to be built, tested and published; None if something has to be."""
    now = publish.served(settings)
    last = publish.last_published(settings)
    if now is None or last is None or last.inputs is None or last.inputs != inputs(settings):
        return None
    if transform.newest(settings) != transform.tested(settings):
        return None
    told = f"no row in bronze and nothing in the project changed since run {last.run_id} was built"
    if now.withdrawn_run is None:
        return told
    return (
        f"{told}; its marts were taken back, and those of run {now.run_id} stay served until"
        " something changes or `lakehouse publish` serves them again"
    )


def _project() -> str:
    """A hash of every file that has a say in a mart, its checks or its publishing."""
    digest = hashlib.sha256()
    found = [path for folder in FOLDERS for path in (PROJECT / folder).rglob("*")]
    for path in sorted([*found, *(PROJECT / name for name in FILES)]):
        name = path.relative_to(PROJECT)
        if path.suffix in SUFFIXES and not MADE_BY_DBT & set(name.parts):
            content = path.read_bytes()
            digest.update(f"{name} {len(content)} ".encode() + content)
    return digest.hexdigest()
