{{ config(incremental_strategy='delete+insert', unique_key='part_hk') }}
{{ change_history(
    'part_hk', ref('sat_part__shop'), ref('boundaries'), {'source': 'cases', 'entity': 'shop'},
    ['part_name'], ['part_name']
) }}
