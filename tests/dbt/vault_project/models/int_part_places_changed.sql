{{ config(incremental_strategy='delete+insert', unique_key='part_place_hk') }}
{{ change_history(
    'part_place_hk', ref('eff_sat_part_place'), ref('boundaries'),
    {'source': 'cases', 'entity': 'shop'}, ['is_effective']
) }}
