-- A case table of macro hash_of, with hashes computed outside: the same on every engine.
with cases as (
    select 'null' as name, {{ hash_of({'cast(null as text)': 'text'}) }} as actual, '8d9c307cb7f3c4a32822a51922d1ceaa' as expected
    union all
    select 'empty text', {{ hash_of({"''": 'text'}) }}, 'da009ebb07be8163e0d11c0671bb27ea'
    union all
    select 'two nulls', {{ hash_of({'cast(null as text)': 'text', 'cast(null as bigint)': 'integer'}) }}, '8cc2e7240164328fdc3f0e5e21032c56'
    union all
    select 'separator inside', {{ hash_of({"'a:b'": 'text', "'V1:c'": 'text'}) }}, 'b4e911c2f80f19f11a0794371fc87010'
    union all
    select 'blanks and case', {{ hash_of({"' Ação '": 'text'}) }}, '13cc89df745e47413cedcc4b76e7c41a'
    union all
    select 'decimal', {{ hash_of({'cast(1.5 as numeric(12, 2))': 'numeric(12,2)'}) }}, 'd40cbdd1785ce5c97092f30e2748c241'
    union all
    select 'boolean', {{ hash_of({'1 = 1': 'boolean', '1 = 2': 'boolean'}) }}, '1d514ceeed4a5fd30fd5f08cf664ac1e'
    union all
    select 'timestamp', {{ hash_of({beginning_of_time(): 'timestamp'}) }}, 'b7b486f65c83db3a788708c8084810a6'
    union all
    select 'date', {{ hash_of({"cast('2024-10-01' as date)": 'date'}) }}, '21def8766cda82320f9bf4334f54dcbb'
)

select name, actual, expected
from cases
where actual <> expected
