"""Run a checkpoint on a schema of the warehouse, as SQL, and tell a failure from an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg2.extensions import parse_dsn

from lakehouse.errors import one_line
from lakehouse.progress import progress
from lakehouse.quality.suites import Checkpoint, Validation

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.data_context.data_context.ephemeral_data_context import (
        EphemeralDataContext,
    )
    from great_expectations.datasource.fluent.postgres_datasource import PostgresDatasource

PASSED, FAILED, ERROR = "passed", "failed", "error"
SAMPLE_VALUES = 5


@dataclass(frozen=True)
class Outcome:
    """What one expectation found; an error is a check that could not be made."""

    suite: str
    expectation: str
    subject: str
    status: str
    observed: dict[str, Any]

    @property
    def sentence(self) -> str:
        """The outcome as the on-call reads it."""
        seen = ", ".join(f"{name} {value}" for name, value in self.observed.items())
        ended = "could not be checked" if self.status == ERROR else "failed"
        return f"{self.subject}: {self.expectation} {ended} ({seen})"


def run(checkpoint: Checkpoint, dsn: str, schema: str) -> list[Outcome]:
    """Check every table of the checkpoint; an expectation without a result is an error."""
    context = _context()
    source = _source(context, dsn, schema)
    outcomes: list[Outcome] = []
    total = sum(len(validation.suite.expectations) for validation in checkpoint.validations)
    with progress("checking expectations", total) as advance:
        for validation in checkpoint.validations:
            outcomes += _validate(context, source, validation)
            advance(len(validation.suite.expectations))
    source.get_engine().dispose()
    return outcomes


def _context() -> EphemeralDataContext:
    """A context in memory that sends nothing, writes no file and draws no bar."""
    import great_expectations
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return great_expectations.get_context(mode="ephemeral", project_config=config)


def _source(context: EphemeralDataContext, dsn: str, schema: str) -> PostgresDatasource:
    """The schema as a data source that can only be read."""
    parts = parse_dsn(dsn)
    options = (parts.get("options"), f"-c search_path={schema} -c default_transaction_read_only=on")
    # Great Expectations wants a URL with user and host, SQLAlchemy prefers another driver, and
    # neither knows every form of a DSN: so the URL is a shell, and the DSN goes to the driver.
    return context.data_sources.add_postgres(
        "warehouse",
        connection_string="postgresql+psycopg2://see@connect/args",
        kwargs={  # type: ignore[call-arg]  # its stub leaves kwargs out
            "connect_args": {
                **dict.fromkeys(("user", "host", "dbname"), ""),
                **parts,
                "options": " ".join(filter(None, options)),
            }
        },
    )


def _validate(
    context: EphemeralDataContext, source: PostgresDatasource, validation: Validation
) -> Iterator[Outcome]:
    from great_expectations import Checkpoint as GxCheckpoint
    from great_expectations import ValidationDefinition

    try:
        asset = source.add_table_asset(validation.asset, table_name=validation.asset)
        data = asset.add_batch_definition_whole_table(validation.batch_definition)
        suite = context.suites.add(validation.suite)
        definition = context.validation_definitions.add(
            ValidationDefinition(name=validation.name, data=data, suite=suite)
        )
        checkpoint = GxCheckpoint(
            name=validation.name, validation_definitions=[definition], result_format="BASIC"
        )
        (found,) = context.checkpoints.add(checkpoint).run().run_results.values()
        results = {
            result.expectation_config.id: result
            for result in found.results
            if result.expectation_config
        }
    except Exception as error:
        # Whatever goes wrong in there, the gate stays closed and the reason is recorded.
        yield _outcome(validation, "checkpoint", {}, ERROR, {"exception": _without_sql(str(error))})
        return
    for expectation in validation.suite.expectations:
        config = expectation.configuration
        status, observed = _read(results.get(expectation.id))
        yield _outcome(validation, config.type, config.kwargs, status, observed)


def _outcome(
    validation: Validation,
    expectation: str,
    kwargs: Mapping[str, Any],
    status: str,
    observed: dict[str, Any],
) -> Outcome:
    columns = [kwargs["column"]] if "column" in kwargs else kwargs.get("column_list", [])
    subject = f"{validation.asset}.{', '.join(columns)}" if columns else validation.asset
    return Outcome(validation.suite.name, expectation, subject, status, observed)


def _read(result: ExpectationValidationResult | None) -> tuple[str, dict[str, Any]]:
    if result is None:
        return ERROR, {"exception": "there is no result"}
    exceptions = list(_exceptions(result.exception_info or {}))
    if exceptions:
        return ERROR, {"exception": exceptions[0]}
    from great_expectations.util import convert_to_json_serializable

    found: dict[str, Any] = convert_to_json_serializable(result.result)
    if "observed_value" in found:
        observed = {"observed": found["observed_value"]}
    else:
        observed = {"unexpected": found["unexpected_count"], "of": found["element_count"]}
        if found["partial_unexpected_list"]:
            observed["such as"] = found["partial_unexpected_list"][:SAMPLE_VALUES]
    return PASSED if result.success else FAILED, observed


def _exceptions(info: Mapping[str, Any]) -> Iterable[str]:
    """The messages of what was raised: told once for all, or once a metric."""
    raised = info.get("raised_exception")
    entries = [info] if raised else info.values() if raised is None else []
    return [_without_sql(str(entry["exception_message"])) for entry in entries]


def _without_sql(text: str) -> str:
    """What a person needs of it: not the statement that SQLAlchemy adds."""
    return one_line(text.split("[SQL:")[0])
