"""Each expectation has a bad sample: the good rows with one thing broken, seen by it alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import psycopg2
import pyarrow as pa
import pytest

from lakehouse.erp import postgres
from lakehouse.errors import RefusedError
from lakehouse.quality import checkpoint, gate, keys, landed, suites
from lakehouse.quality.checkpoint import Compared
from lakehouse.quality.outcomes import DRIFTED, FAILED, OPEN, Outcome
from lakehouse.settings import PROJECT, Settings
from tests.expectations import samples
from tests.expectations.samples import Bad

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("great_expectations")]

EXPECTATIONS = PROJECT / "expectations"
ROW_BY_ROW = {*keys.CONDITIONS, keys.UNEXPECTED_ROWS} - {"expect_column_max_to_be_between"}
PARAMETERS = {"as_of_date": "2024-10-02", "fresh_from": "2024-10-01"}
Check = Callable[[str, Bad | None], Sequence[Outcome]]
"""Check one table of the good sample, or of a bad one."""


def test_each_expectation_of_a_mart_fails_on_its_bad_samples_and_on_no_other(
    server_lake: Settings,
) -> None:
    dsn = postgres.warehouse_dsn(server_lake)
    found = samples.read("marts")
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    asked = suites.load(EXPECTATIONS, gate.CHECKPOINT)
    with connection.cursor() as cursor:
        cursor.execute("create schema good; set search_path = good")
        for sample in found.values():
            cursor.execute(sample.good)
        good = checkpoint.run(asked, gate.place(dsn, "good"), Compared({}, PARAMETERS))
        published = {
            (one.suite, one.expectation, one.subject): [float(one.observed["observed"])]
            for one in good
            if "compared with" in one.observed
        }

        def check(table: str, bad: Bad | None) -> Sequence[Outcome]:
            cursor.execute("drop schema if exists bad cascade; create schema bad")
            cursor.execute(f"set search_path = bad; create table {table} as table good.{table}")
            cursor.execute(bad.sql if bad else "")
            # A rule needs no history, and what breaks it may well be a drift, too.
            history = published if bad and bad.subject.endswith("(drift)") else {}
            chosen, place = _only(asked, table), gate.place(dsn, "bad")
            return checkpoint.run(chosen, place, Compared(history, PARAMETERS))

        _assert_seen(found, asked, good, check)
    connection.close()


def test_each_expectation_of_a_landed_batch_fails_on_its_bad_samples_and_on_no_other() -> None:
    found = {_asset(name): sample for name, sample in samples.read("bronze").items()}
    asked = suites.load(EXPECTATIONS, landed.CHECKPOINT)

    def check(table: str, bad: Bad | None) -> Sequence[Outcome]:
        sample = found[table]
        with duckdb.connect() as engine:
            engine.execute(sample.good + (bad.sql if bad else ""))
            rows: pa.Table = engine.table(sample.table).to_arrow_table()
        chosen = _only(asked, table)
        return checkpoint.run(chosen, landed.place(chosen, lambda _: rows), Compared())

    good = [outcome for table in found for outcome in check(table, None)]
    _assert_seen(found, asked, good, check)


def _only(asked: suites.Checkpoint, table: str) -> suites.Checkpoint:
    return replace(asked, validations=tuple(v for v in asked.validations if v.asset == table))


def _asset(name: str) -> str:
    return name.replace("__", "/")


def _assert_seen(
    found: dict[str, samples.Sample],
    asked: suites.Checkpoint,
    good: Sequence[Outcome],
    check: Check,
) -> None:
    assert found.keys() == {validation.asset for validation in asked.validations}
    assert [one.sentence for one in good if one.status not in OPEN] == []
    every = {(one.expectation, one.subject) for one in good}
    broken = {(bad.expectation, bad.subject) for one in found.values() for bad in one.bad}
    assert broken == every, "each expectation has a bad sample, and each of these an expectation"
    unseen = {}
    for table, sample in found.items():
        for bad in sample.bad:
            wrong = [one for one in check(table, bad) if one.is_wrong]
            if [(one.expectation, one.subject) for one in wrong] == [
                (bad.expectation, bad.subject)
            ]:
                _assert_told(wrong[0])
            else:
                unseen[f"{table}, {bad.why}"] = [one.sentence for one in wrong]
    assert unseen == {}


def _assert_told(outcome: Outcome) -> None:
    """A drift says what it was held against, a row that fails has a key, the reason is there."""
    assert outcome.why
    if outcome.subject.endswith("(drift)"):
        assert outcome.status == DRIFTED
        assert outcome.observed["compared with"] == "1 published runs"
    else:
        assert outcome.status == FAILED
    if outcome.expectation in ROW_BY_ROW:
        assert outcome.observed["keys"], outcome
        # It is told only where our own query does not find as many as were counted.
        assert "unexpected" not in outcome.observed or "failing" not in outcome.observed


def test_every_suite_is_in_a_checkpoint() -> None:
    folder = EXPECTATIONS / "suites"
    files = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.yml")}
    asked = [suites.load(EXPECTATIONS, name) for name in (gate.CHECKPOINT, landed.CHECKPOINT)]
    assert {v.suite.name for one in asked for v in one.validations} == files


def test_a_value_that_is_not_there_yet_is_told_apart_from_one_that_is_wrong() -> None:
    def check(value: str, of_nothing: str | None, at_least: int = 1) -> Outcome:
        entry = suites.Entry(
            "expect_column_mean_to_be_between",
            {"column": "days", "min_value": 5, "max_value": 30},
            "a test",
            of_nothing=of_nothing,
            at_least=at_least,
        )
        suite = suites.Suite("orders", (entry,))
        asked = suites.Checkpoint("c", (suites.Validation("v", "d", "orders", "b", suite),))
        with duckdb.connect() as engine:
            rows = engine.sql(f"select {value}::double as days").to_arrow_table()
        (outcome,) = checkpoint.run(asked, landed.place(asked, lambda _: rows), Compared())
        return outcome

    assert check("null", "no order is complete yet").status == "not applicable"
    assert check("null", None).status == FAILED
    assert check("31", "no order is complete yet").status == FAILED
    assert check("30", "no order is complete yet").status == "passed"
    assert check("31", "too few are", at_least=2).status == "not applicable"
    assert check("31", "too few are", at_least=1).status == FAILED


@pytest.mark.parametrize(
    ("kind", "kwargs", "told"),
    [
        ("expect_column_values_to_be_nul", "{column: item_id}", "not found"),
        ("expect_column_values_to_be_null", "{colunm: item_id}", "colunm extra fields"),
        ("expect_column_values_to_be_between", "{column: a, min_value: cheap}", "min_value"),
        ("expect_column_values_to_be_in_set", "{column: a, value_set: issue}", "value_set"),
        ("expect_column_values_to_not_be_null", "[item_id]", "kwargs must be a dict"),
        ("7", "{column: item_id}", "must be a string"),
    ],
)
def test_an_expectation_that_cannot_be_is_refused_at_load(
    tmp_path: Path, kind: str, kwargs: str, told: str
) -> None:
    path = tmp_path / "suites" / "wrong.yml"
    path.parent.mkdir()
    entry = f"{{type: {kind}, kwargs: {kwargs}, meta: {{why: a test}}}}"
    path.write_text(f"name: wrong\nexpectations: [{entry}]", "utf8")
    with pytest.raises(RefusedError) as refused:
        suites.load_suite(tmp_path, "wrong")
    for part in ("suites/wrong.yml", f"expectation 1 ({kind})", told):
        assert part in refused.value.what
