{{ config(unique_key='stock_movement_hk') }}

{{ change_history(
    hash_key='stock_movement_hk',
    satellite=ref('sat_stock_movement__erp'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'erp', 'entity': 'stock_movements'},
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
    repairable=['item_id', 'tower_id', 'movement_type', 'note'],
) }}
