"""What is served: marts copied beside the served ones, swapped in as one, written to gold."""

from lakehouse.publish.gold import Gold, write_gold
from lakehouse.publish.serving import (
    RolledBack,
    Served,
    Swapped,
    last_published,
    published_before,
    rollback,
    served,
    swap,
    waiting,
)
from lakehouse.publish.staging import Staged, stage

__all__ = [
    "Gold",
    "RolledBack",
    "Served",
    "Staged",
    "Swapped",
    "last_published",
    "published_before",
    "rollback",
    "served",
    "stage",
    "swap",
    "waiting",
    "write_gold",
]
