{{ config(materialized='view') }}
{{ pit('part_hk', ref('hub_part'), {
    'sat_part__shop': ref('int_parts_changed__shop'),
    'sat_part__depot': ref('int_parts_changed__depot'),
}) }}
