-- A case table of macro hash_of; the hashes were computed outside, and every engine gives them.
{%- set cases = [
    ('null', {'cast(null as text)': 'text'},
        '8d9c307cb7f3c4a32822a51922d1ceaa'),
    ('empty text', {"''": 'text'},
        'da009ebb07be8163e0d11c0671bb27ea'),
    ('two nulls', {'cast(null as text)': 'text', 'cast(null as bigint)': 'integer'},
        '8cc2e7240164328fdc3f0e5e21032c56'),
    ('separator inside', {"'a:b'": 'text', "'V1:c'": 'text'},
        'b4e911c2f80f19f11a0794371fc87010'),
    ('blanks and case', {"' Ação '": 'text'},
        '13cc89df745e47413cedcc4b76e7c41a'),
    ('decimal', {'cast(1.5 as numeric(12, 2))': 'numeric(12,2)'},
        'd40cbdd1785ce5c97092f30e2748c241'),
    ('boolean', {'1 = 1': 'boolean', '1 = 2': 'boolean'},
        '1d514ceeed4a5fd30fd5f08cf664ac1e'),
    ('timestamp', {beginning_of_time(): 'timestamp'},
        'b7b486f65c83db3a788708c8084810a6'),
    ('date', {"cast('2024-10-01' as date)": 'date'},
        '21def8766cda82320f9bf4334f54dcbb'),
] %}
with cases as (
    {%- for name, columns, expected in cases %}
    select
        '{{ name }}' as name,
        {{ hash_of(columns) }} as actual,
        '{{ expected }}' as expected
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
where actual <> expected
