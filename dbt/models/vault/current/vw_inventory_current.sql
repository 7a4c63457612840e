{{ current_view(
    hash_key='item_tower_hk',
    history=ref('int_inventory_changed'),
    link=ref('link_item_tower'),
    keys=[
        {'hub': ref('hub_item'), 'hash_key': 'item_hk', 'business_key': 'item_id'},
        {'hub': ref('hub_tower'), 'hash_key': 'tower_hk', 'business_key': 'tower_id'},
    ],
    payload=[
        'current_stock',
        'min_stock',
        'max_stock',
        'reorder_point',
    ],
) }}
