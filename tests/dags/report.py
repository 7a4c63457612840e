"""Parse a folder of DAGs in this fresh interpreter, and print what a policy may ask about them."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

HEAVY = {
    *("dbt", "deltalake", "duckdb", "great_expectations", "numpy", "pandas"),
    *("pyarrow", "pyspark"),
}


def heavy_imports(folder: Path) -> list[str]:
    """What parsing these files alone brings in."""
    for path in sorted(folder.glob("*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return sorted(HEAVY & set(sys.modules))


def described(dag: Any) -> dict[str, Any]:
    return {
        "file": Path(dag.fileloc).stem,
        "doc": dag.doc_md or "",
        "tags": sorted(dag.tags),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "schedule": str(dag.timetable),
        "alerts": any(each.__name__ == "alert_of_run" for each in _listed(dag.on_failure_callback)),
        "tasks": [
            {
                "id": task.task_id,
                "owner": task.owner,
                "retries": task.retries,
                "after": sorted(task.upstream_task_ids),
                "doc": task.doc_md or "",
                "pool": task.pool,
                "alerts": any(each.__name__ == "alert" for each in task.on_failure_callback),
                "step": getattr(task, "step", None),
                "errors_are_final": getattr(task, "errors_are_final", None),
            }
            for task in dag.topological_sort()
        ],
    }


def _listed(callbacks: Any) -> list[Any]:
    return callbacks if isinstance(callbacks, list) else [callbacks] if callbacks else []


def main() -> None:
    folder = Path(sys.argv[1])
    heavy = heavy_imports(folder)
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(folder)
    report = {
        "heavy": heavy,
        "errors": bag.import_errors,
        "dags": {dag_id: described(dag) for dag_id, dag in bag.dags.items()},
    }
    Path(sys.argv[2]).write_text(json.dumps(report), "utf8")


main()
