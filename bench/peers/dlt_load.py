"""dlt loads one table into Delta, through connectorx: `dlt_load.py TABLE FOLDER`.

The DSN, with its password, is in BENCH_DSN.
"""

from __future__ import annotations

import json
import os
import sys
import time

import dlt
from dlt.sources.sql_database import sql_table

table, folder = sys.argv[1:]
began = time.perf_counter()
pipeline = dlt.pipeline(
    "bench",
    pipelines_dir=f"{folder}/pipelines",
    destination=dlt.destinations.filesystem(f"file://{folder}/lake"),
    dataset_name="erp",
)
rows = sql_table(
    credentials=os.environ["BENCH_DSN"], table=table, schema="public", backend="connectorx"
)
pipeline.run(rows, table_format="delta", write_disposition="append")
seconds = time.perf_counter() - began
counts = pipeline.last_trace.last_normalize_info.row_counts
sys.stdout.write("\n" + json.dumps({"seconds": seconds, "rows": counts[table]}) + "\n")
