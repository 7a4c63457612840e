"""The ERP: an embedded PostgreSQL server and the demo company that lives in it.

- The server: `postgres` (up, down, addresses), `cluster` (its files), `as_nobody` (under root).
- The company: `company` plays it, `truth` asks it, both through a `session`.
  - What it has: `master_data` (from the CSV files), `prices`, `calendar`, `opening`.
  - What is planned, by seed and date alone: `plan`, made of `work` and of `purchasing`
    (`requisition`, `ordering`).
  - What is done: `days` says what and when; each deed (in `demand`, `supply`, `upkeep`,
    `paperwork`) is one `transaction` against the `world` as it is.
"""

SOURCE = "erp"
"""Its name among the sources: below landing, bronze and the contracts."""
SCHEMA = "public"
"""Its tables; whatever lies in other schemas is not published."""
PUBLICATION = "lakehouse"
"""Which tables the change log tells of; a real ERP makes one of this name."""
CLOCK_PREFIX = "lakehouse.clock"
"""The prefix of the message by which a transaction tells what time it is in the company."""
