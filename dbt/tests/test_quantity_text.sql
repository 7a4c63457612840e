-- A case table of macros quantity_text and whole_quotient.
{%- set cases = [
    ('null', quantity_text('cast(null as numeric(18, 3))'), 'null'),
    ('whole', quantity_text('cast(300 as numeric(18, 3))'), "'300'"),
    ('nothing', quantity_text('cast(0 as numeric(18, 3))'), "'0'"),
    ('thousandths', quantity_text('cast(12.125 as numeric(18, 3))'), "'12.125'"),
    ('a zero inside', quantity_text('cast(10.050 as numeric(18, 3))'), "'10.05'"),
    ('below nothing', quantity_text('cast(-2.5 as numeric(18, 3))'), "'-2.5'"),
    ('rounded up', quantity_text('cast(0.15 as numeric(18, 6))', 1), "'0.2'"),
    ('rounded down', quantity_text('cast(0.149999 as numeric(18, 6))', 1), "'0.1'"),
    ('quotient', 'cast(' ~ whole_quotient('7', '2') ~ ' as integer)', '3'),
    ('quotient by nothing', whole_quotient('7', '0'), 'null'),
    (
        'quotient beyond 2^53',
        'cast(' ~ whole_quotient('10000000000000000000000000000', '1') ~ ' as bigint)',
        '9007199254740992',
    ),
] %}
with cases as (
    {%- for name, actual, expected in cases %}
    select
        '{{ name }}' as name,
        cast({{ actual }} as {{ dbt.type_string() }}) as actual,
        cast({{ expected }} as {{ dbt.type_string() }}) as expected
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
