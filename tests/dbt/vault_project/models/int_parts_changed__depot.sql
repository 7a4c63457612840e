{{ config(incremental_strategy='delete+insert', unique_key='part_hk') }}
{{ change_history(
    'part_hk', ref('sat_part__depot'), ref('boundaries'), {'source': 'cases', 'entity': 'depot'},
    ['part_name'], ['part_name']
) }}
