{{ current_view(
    hash_key='tower_hk',
    history=ref('int_towers_changed'),
    keys=[
        {'hub': ref('hub_tower'), 'hash_key': 'tower_hk', 'business_key': 'tower_id'},
    ],
    payload=[
        'served_by_tower_id',
        'tower_name',
        'tower_type',
        'state',
        'municipality',
        'latitude',
        'longitude',
    ],
) }}
