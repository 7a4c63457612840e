{{ current_view(
    hash_key='stock_movement_hk',
    history=ref('int_stock_movements_changed'),
    keys=[
        {
            'hub': ref('hub_stock_movement'),
            'hash_key': 'stock_movement_hk',
            'business_key': 'stock_movement_id',
        },
    ],
    payload=[
        'item_id',
        'tower_id',
        'movement_type',
        'note',
        'quantity',
        'unit_cost_brl',
        'moved_at',
        'created_at',
    ],
) }}
