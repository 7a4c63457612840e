"""A table with a column of every type, a row of values that are hard to keep, and what they are.

Beside it are tables of long values, and of partitions.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

SCHEMA = """
create type mood as enum ('glad', 'so "so"', 'sad');
create domain price as numeric(12, 2) check (value >= 0);
create domain big_price as price;
create type pair as (a int, b text);
create table every_type (
    id bigint primary key, price price, big_price big_price, free numeric, wide numeric(40, 3),
    rounded numeric(5, -2), tiny numeric(3, 3), huge numeric(38, 10), small smallint, whole int,
    yes boolean, real real, double double precision, at timestamptz, local timestamp, day date,
    clock time, clock_tz timetz, span interval, uid uuid, doc jsonb, raw_doc json, bytes bytea,
    tags text[], grid int[][], mood mood, moods mood[], pair pair, net inet, bits bit varying,
    ranges int4range, fixed char(5), name varchar(10), xml_like text
);
create table toasted (id text primary key, note text, other text, n int);
create table parted (id int, part int, note text, primary key (id, part)) partition by list (part);
create table parted_1 partition of parted for values in (1);
create table parted_2 partition of parted default;
alter table toasted alter note set storage external, alter other set storage external;
create publication lakehouse for table every_type, toasted, parted
    with (publish_via_partition_root = true)
"""
ROW = """(
    {id}, 1.50, 0.01, -123456789.000000001, 12345678901234567890123456789012345.678, 12300, 0.999,
    9999999999999999999999999999.9999999999, -32768, 2147483647, true, 0.1, 1e-300,
    '2024-02-29 23:59:59.999999+03', '1969-12-31 23:59:59.5', '2024-02-29', '24:00:00',
    '12:00:00.5-03', '1 mon -2 days 03:04:05.6', 'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11',
    '{{"b": 1.50, "a": [null, "x\\"y"]}}', '{{ "b":  1.50 }}', '\\x00ff27',
    array['a,b', null, '"', ''],
    '{{{{1,2}},{{3,4}}}}', 'so "so"', array['glad', 'sad']::mood[], row(1, 'x,"y'), '10.0.0.0/8',
    B'1011', '[1,5)', 'ab', 'ção', E'tab\\tnew\\nline\\\\'
)"""
EXACT = {
    "price": Decimal("1.50"),
    "big_price": Decimal("0.01"),
    "free": "-123456789.000000001",
    "wide": "12345678901234567890123456789012345.678",
    "rounded": "12300",
    "tiny": Decimal("0.999"),
    "huge": Decimal("9999999999999999999999999999.9999999999"),
    "small": -32768,
    "whole": 2147483647,
    "yes": True,
    "double": 1e-300,
    "at": datetime(2024, 2, 29, 20, 59, 59, 999999, UTC),
    "local": datetime.fromisoformat("1969-12-31 23:59:59.5"),
    "day": date(2024, 2, 29),
    "clock": "24:00:00",
    "uid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "doc": '{"a": [null, "x\\"y"], "b": 1.50}',
    "raw_doc": '{ "b":  1.50 }',
    "bytes": "\\x00ff27",
    "tags": '{"a,b",NULL,"\\"",""}',
    "mood": 'so "so"',
    "fixed": "ab   ",
}
"""What some of the row's columns are once they landed."""


def every_type(number: int) -> str:
    """Insert that row; only its number tells it from others."""
    return f"insert into every_type values {ROW.format(id=number)}"
