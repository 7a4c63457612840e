{{ current_view(
    hash_key='item_hk',
    history=ref('int_items_changed'),
    keys=[
        {'hub': ref('hub_item'), 'hash_key': 'item_hk', 'business_key': 'item_id'},
    ],
    payload=[
        'item_name',
        'family',
        'unit',
        'criticality',
        'is_service',
        'description',
        'unit_cost_brl',
    ],
) }}
