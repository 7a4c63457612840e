{{ config(unique_key='item_tower_hk') }}

{{ change_history(
    hash_key='item_tower_hk',
    satellite=ref('sat_item_tower__erp'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'erp', 'entity': 'inventory'},
    payload=[
        'current_stock',
        'min_stock',
        'max_stock',
        'reorder_point',
    ],
) }}
