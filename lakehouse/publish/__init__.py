"""What is served: marts copied beside the served ones, swapped in as one, written to gold."""

from lakehouse.publish.gold import Gold, write_gold
from lakehouse.publish.serving import Served, Swapped, served, swap
from lakehouse.publish.staging import Staged, stage

__all__ = ["Gold", "Served", "Staged", "Swapped", "served", "stage", "swap", "write_gold"]
