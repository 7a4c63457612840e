{{ satellite(
    hash_key='tower_hk',
    payload=[
        'served_by_tower_id',
        'tower_name',
        'tower_type',
        'state',
        'municipality',
        'latitude',
        'longitude',
        'created_at',
        'updated_at',
    ],
    source={'relation': ref('stg_erp__towers'), 'where': arrived('erp/towers')},
) }}
