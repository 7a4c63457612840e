{{ config(unique_key='tower_hk') }}

{{ change_history(
    hash_key='tower_hk',
    satellite=ref('sat_tower__erp'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'erp', 'entity': 'towers'},
    payload=[
        'served_by_tower_id',
        'tower_name',
        'tower_type',
        'state',
        'municipality',
        'latitude',
        'longitude',
    ],
    repairable=['served_by_tower_id', 'tower_name', 'tower_type', 'state', 'municipality'],
) }}
