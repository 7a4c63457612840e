{{ satellite(
    hash_key='stock_movement_hk',
    payload=[
        'item_id',
        'tower_id',
        'movement_type',
        'note',
        'quantity',
        'unit_cost_brl',
        'moved_at',
        'created_at',
        'updated_at',
    ],
    source={'relation': ref('stg_erp__stock_movements'), 'where': arrived('erp/stock_movements')},
) }}
