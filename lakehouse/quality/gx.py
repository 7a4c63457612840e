"""Great Expectations behind one module: what is asked of a table goes in, what it saw comes out.

It is imported inside the functions: that alone costs seconds, and a day without a new row, or a
command that checks nothing, must not pay for them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from psycopg2.extensions import parse_dsn

from lakehouse.errors import one_line
from lakehouse.quality.outcomes import ERROR, FAILED, PASSED
from lakehouse.quality.suites import Suite

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.data_context.data_context.ephemeral_data_context import (
        EphemeralDataContext,
    )
    from great_expectations.datasource.fluent.postgres_datasource import PostgresDatasource
    from great_expectations.expectations.expectation import Expectation

Context: TypeAlias = "EphemeralDataContext"
Found = tuple[str, dict[str, Any]]
"""Status, and what was seen."""
Answer = TypeVar("Answer")
NUMBER = "number"


class Batches(Protocol):
    """Where the tables are: each is given to Great Expectations in its own way."""

    def batch(self, asset: str) -> tuple[BatchDefinition[Any], dict[str, Any]]:
        """The table's definition, and what it takes to read it."""
        ...


class HungError(Exception):
    """A check gave no answer in time."""


def built(kind: str, kwargs: Mapping[str, Any], number: int) -> Expectation:
    """One expectation; it raises when there is no such one, or when an argument cannot be."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    # The meta comes back with the result, and tells whose result it is.
    configuration = ExpectationConfiguration(type=kind, kwargs=kwargs, meta={NUMBER: number})  # type: ignore[arg-type]
    return configuration.to_domain_obj()


def new_context() -> Context:
    """A context in memory that sends nothing, writes no file and draws no bar."""
    import great_expectations
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    # It warns at each mean that a decimal is shown as a float: a figure to look at, not to book.
    logging.getLogger("great_expectations.util").setLevel(logging.ERROR)
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return great_expectations.get_context(mode="ephemeral", project_config=config)


@dataclass(frozen=True)
class Tables:
    """The tables of a schema of the warehouse, looked at as SQL where they are."""

    source: PostgresDatasource

    def batch(self, asset: str) -> tuple[BatchDefinition[Any], dict[str, Any]]:
        """The whole table."""
        table = self.source.add_table_asset(asset, table_name=asset)
        return table.add_batch_definition_whole_table(asset), {}

    def close(self) -> None:
        """Let go of the connections."""
        self.source.get_engine().dispose()


@dataclass(frozen=True)
class Frames:
    """Data frames, which are read when it is their turn."""

    context: Context
    read: Callable[[str], pd.DataFrame]

    def batch(self, asset: str) -> tuple[BatchDefinition[Any], dict[str, Any]]:
        """The whole frame."""
        source = self.context.data_sources.add_pandas(asset)
        definition = source.add_dataframe_asset(asset).add_batch_definition_whole_dataframe(asset)
        return definition, {"dataframe": self.read(asset)}


def tables(context: Context, dsn: str, schema: str, statement_s: float) -> Tables:
    """A schema that can only be read, by statements that end in time."""
    from great_expectations.datasource.fluent.postgres_datasource import PostgresDatasource

    PostgresDatasource.execution_engine_override = _frugal_engine()  # type: ignore[misc]
    parts = parse_dsn(dsn)
    options = (
        parts.get("options"),
        f"-c search_path={schema} -c default_transaction_read_only=on",
        f"-c statement_timeout={int(statement_s * 1000)}",
    )
    # Great Expectations wants a URL with user and host, SQLAlchemy prefers another driver, and
    # neither knows every form of a DSN: so the URL is a shell, and the DSN goes to the driver.
    return Tables(
        context.data_sources.add_postgres(
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
    )


def _frugal_engine() -> type[Any]:
    from great_expectations.execution_engine.sqlalchemy_execution_engine import (
        SqlAlchemyExecutionEngine,
    )

    class FrugalEngine(SqlAlchemyExecutionEngine):
        """It counts, and leaves out the examples: a whole pass over the table for each column.

        Failing rows are found by our own query, which names them by their keys.
        """

        def resolve_metrics(
            self, metrics_to_resolve: Iterable[Any], *arguments: Any, **named: Any
        ) -> dict[Any, Any]:
            examples: list[Any] = []
            counted: list[Any] = []
            for metric in metrics_to_resolve:
                is_example = metric.metric_name.endswith(".unexpected_values")
                (examples if is_example else counted).append(metric)
            found = super().resolve_metrics(counted, *arguments, **named) if counted else {}
            return {**found, **{metric.id: [] for metric in examples}}

    return FrugalEngine


def validate(
    context: Context,
    batches: Batches,
    asset: str,
    suite: Suite,
) -> list[Found]:
    """What each expectation of the suite found, in its order; one without a result is an error."""
    from great_expectations import Checkpoint, ExpectationSuite, ValidationDefinition

    data, batch_parameters = batches.batch(asset)
    expectations = [built(each.type, each.kwargs, n) for n, each in enumerate(suite.entries)]
    checked = context.suites.add(ExpectationSuite(name=suite.name, expectations=expectations))
    definition = context.validation_definitions.add(
        ValidationDefinition(name=asset, data=data, suite=checked)
    )
    checkpoint = context.checkpoints.add(
        Checkpoint(name=asset, validation_definitions=[definition], result_format="BASIC")
    )
    ran = checkpoint.run(batch_parameters=batch_parameters or None)
    (found,) = ran.run_results.values()
    results = {
        result.expectation_config.meta[NUMBER]: result
        for result in found.results
        if result.expectation_config and result.expectation_config.meta
    }
    return [_read(results.get(number)) for number in range(len(suite.entries))]


def within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """What the work answers, if it does so in time; else it is left to itself, and dies with us."""
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise HungError(f"there was no answer within {seconds:g} s")
    if errors:
        raise errors[0]
    return answers[0]


def _read(result: ExpectationValidationResult | None) -> Found:
    if result is None:
        return ERROR, {"exception": "there is no result"}
    exceptions = list(_exceptions(result.exception_info or {}))
    if exceptions:
        return ERROR, {"exception": exceptions[0]}
    from great_expectations.util import convert_to_json_serializable

    found: dict[str, Any] = convert_to_json_serializable(result.result)
    if "unexpected_count" in found:
        observed = {"unexpected": found["unexpected_count"], "of": found["element_count"]}
    else:
        observed = {"observed": found["observed_value"]}
    return PASSED if result.success else FAILED, observed


def _exceptions(info: Mapping[str, Any]) -> Iterable[str]:
    """The messages of what was raised: told once for all, or once a metric."""
    raised = info.get("raised_exception")
    entries = [info] if raised else info.values() if raised is None else []
    return [without_sql(str(entry["exception_message"])) for entry in entries]


def without_sql(text: str) -> str:
    """What a person needs of it: not the statement that SQLAlchemy adds."""
    return one_line(text.split("[SQL:")[0])
