"""Change data capture: every committed change of the ERP, in order, as landing files.

`reader` is what is called. The way of a change, module by module:

- before: `connection`, `checks` (what must hold), `slot`, `state` (how far we are), `beginning`
  (which joins them), `snapshot` and `copying` (tables as a whole);
- thread one: `stream` reads messages and tells the server what is durable, through `feedback`;
- thread two, `worker`: `decoder` parts messages (`protocol`) into transactions, `rows` and
  `columns` make Arrow of them in our `types`, `pending` holds and lands them, `streamed` keeps on
  disk the big ones that have not ended;
- beside: `status`.
"""

from __future__ import annotations

from lakehouse.cdc.checks import Needed
from lakehouse.cdc.reader import Synced, follow, resync, sync
from lakehouse.cdc.status import Status, status

__all__ = ["Needed", "Status", "Synced", "follow", "resync", "status", "sync"]
