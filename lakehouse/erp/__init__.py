"""The ERP: an embedded PostgreSQL server and the demo company that lives in it."""
