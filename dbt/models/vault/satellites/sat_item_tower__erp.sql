{{ satellite(
    hash_key='item_tower_hk',
    payload=[
        'current_stock',
        'min_stock',
        'max_stock',
        'reorder_point',
        'created_at',
        'updated_at',
    ],
    source={'relation': ref('stg_erp__inventory'), 'where': arrived('erp/inventory')},
) }}
