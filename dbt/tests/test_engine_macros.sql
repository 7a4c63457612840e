-- A case table of the macros in macros/engine: every engine gives the same text for each.
{%- set day = "cast('2024-02-28' as date)" -%}
{%- set next_year = "cast('2025-03-01' as date)" -%}
{%- set nothing = 'cast(null as date)' -%}
{%- set words = "(select 'b' as word, 2 as place union all select 'é', 10 union all select 'a', 10"
    ~ " union all select 'Z', 3 union all select cast(null as text), 1) as words" -%}
{%- set cases = [
    ('whole division', integer_division(7, 2), '3'),
    ('division by nothing', integer_division(7, '0'), none),
    ('division of nothing', integer_division('cast(null as bigint)', 2), none),
    ('negative numbers', integer_division(-8, -3), '2'),
    (
        'more digits than a double has',
        integer_division(
            'cast(99999999999999999999999999999999999999 as numeric(38, 0))',
            'cast(10000000000000000001 as numeric(38, 0))'
        ),
        '9999999999999999999'
    ),
    ('rank of a quantile', integer_division('11 * 9 + 9', 10), '10'),
    ('half up', mart_number('cast(0.0000005 as double precision)'), '0.000001'),
    ('below half', mart_number('cast(0.00000049 as double precision)'), '0.000000'),
    ('negative half', mart_number('cast(-0.0000005 as double precision)'), '0.000000'),
    ('a decimal', mart_number('cast(2.5 as numeric(12, 2))'), '2.500000'),
    ('a quotient', mart_number(double(2) ~ ' / ' ~ double(3)), '0.666667'),
    ('a root', mart_number('sqrt(' ~ double(2) ~ ')'), '1.414214'),
    ('a big number', mart_number(double('123456789.123456')), '123456789.123456'),
    ('no number', mart_number('cast(null as double precision)'), none),
    ('a leap day on the way', days_between(day, next_year), '367'),
    ('days back', days_between(next_year, day), '-367'),
    ('days of nothing', days_between(day, nothing), none),
    ('days added', add_days(day, 2), '2024-03-01'),
    ('days taken', add_days(day, 'cast(-59 as bigint)'), '2023-12-31'),
    ('no day', add_days(nothing, 1), none),
    ('epoch', epoch_microseconds(beginning_of_time()), '-2208988800000000'),
    ('a local day', local_date("cast('2024-03-01 02:59:59+00:00' as timestamp with time zone)"),
        '2024-02-29'),
    ('dates', '(select count(*) from (' ~ date_spine(day, next_year) ~ ') as days)', '368'),
    ('the last date', '(select max(calendar_date) from (' ~ date_spine(day, add_days(day, 2))
        ~ ') as days)', '2024-03-01'),
    ('dates by a query', '(select count(*) from (' ~ date_spine('(select min(first_date) from (select '
        ~ day ~ ' as first_date) as one)', day) ~ ') as days)', '1'),
    ('dates back', '(select count(*) from (' ~ date_spine(next_year, day) ~ ') as days)', '0'),
    ('dates from nothing', '(select count(*) from (' ~ date_spine(nothing, day) ~ ') as days)', '0'),
    ('texts by themselves', '(select ' ~ list_text('word', 'word', ', ') ~ ' from ' ~ words ~ ')',
        'Z, a, b, é'),
    ('texts by another', '(select ' ~ list_text('word', 'place', "'") ~ ' from ' ~ words ~ ')',
        "a'é'b'Z"),
] %}
with cases as (
    {%- for name, actual, expected in cases %}
    select
        '{{ name }}' as name,
        cast({{ actual }} as text) as actual,
        {% if expected is none %}cast(null as text){% else -%}
            '{{ expected | replace("'", "''") }}'
        {%- endif %} as expected
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    name,
    actual,
    expected
from cases
where actual is distinct from expected
