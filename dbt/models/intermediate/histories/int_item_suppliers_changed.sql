{{ config(unique_key='item_supplier_hk') }}

{{ change_history(
    hash_key='item_supplier_hk',
    satellite=ref('sat_item_supplier__erp'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'erp', 'entity': 'item_suppliers'},
    payload=[
        'item_id',
        'supplier_id',
        'valid_from',
        'valid_to',
        'unit_price_brl',
        'min_order_quantity',
        'order_multiple',
        'lead_time_days',
    ],
    repairable=['item_id', 'supplier_id'],
) }}
