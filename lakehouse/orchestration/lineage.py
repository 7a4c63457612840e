"""What each dbt model read and wrote, as OpenLineage events below the lake's folder.

Airflow's provider writes the events of the tasks there. dbt's are made of what it leaves behind,
and name the task's run as their parent, so that lineage is exact to the run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakehouseError
from lakehouse.settings import PROJECT, Settings

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol as TaskInstance

# Parsed with every DAG file: what is heavy is imported where it is used.
log = logging.getLogger(__name__)

NAMESPACE = "nova_corrente"
PRODUCER = "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/integration/dbt"
DBT_STEPS = frozenset({"dbt_run", "dbt_test", "backfill"})


def folder(home: Path) -> Path:
    """Where all events of a lake are."""
    return home / "lineage"


@contextmanager
def kept(settings: Settings, step: str, run_id: str, task: TaskInstance) -> Iterator[None]:
    """Keep the events of the dbt command that the block runs, also when a model or test fails."""
    since = datetime.now(UTC)
    try:
        yield
    except LakehouseError:
        _keep(settings, step, run_id, task, since)
        raise
    _keep(settings, step, run_id, task, since)


def _keep(settings: Settings, step: str, run_id: str, task: TaskInstance, since: datetime) -> None:
    if step not in DBT_STEPS or not _is_new(settings, since):
        return
    try:
        from openlineage.client.serde import Serde

        lines = [f"{Serde.to_json(event)}\n" for event in _dbt_events(settings, task)]
        path = folder(settings.home) / f"{run_id}.{step}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines), "utf8")
    except Exception as error:
        # What was built is right without it: it is told, and never fails or hides a step's end.
        log.warning("no lineage of %s: %s: %s", step, type(error).__name__, error)
        return
    log.info("%d lineage events in %s", len(lines), path)


def _is_new(settings: Settings, since: datetime) -> bool:
    """Whether dbt came so far as to leave results: those of an earlier command are not ours."""
    from lakehouse.transform import dbt_runner

    results = dbt_runner.target(settings) / "run_results.json"
    return results.exists() and results.stat().st_mtime >= since.timestamp()


def _dbt_events(settings: Settings, task: TaskInstance) -> list[Any]:
    from airflow.providers.openlineage.plugins.macros import lineage_job_name, lineage_run_id
    from openlineage.common.provider.dbt.local import DbtLocalArtifactProcessor
    from openlineage.common.provider.dbt.processor import ParentRunMetadata

    from lakehouse.transform import dbt_runner

    processor = DbtLocalArtifactProcessor(
        project_dir=str(PROJECT / "dbt"),
        target_path=str(dbt_runner.target(settings)),
        producer=PRODUCER,
        job_namespace=NAMESPACE,
    )
    processor.dbt_run_metadata = ParentRunMetadata(
        run_id=lineage_run_id(task), job_name=lineage_job_name(task), job_namespace=NAMESPACE
    )
    with dbt_runner.environment(settings):
        return list(processor.parse().events())
