{{ satellite(
    hash_key='item_supplier_hk',
    payload=[
        'item_id',
        'supplier_id',
        'valid_from',
        'valid_to',
        'unit_price_brl',
        'min_order_quantity',
        'order_multiple',
        'lead_time_days',
        'created_at',
        'updated_at',
    ],
    source={'relation': ref('stg_erp__item_suppliers'), 'where': arrived('erp/item_suppliers')},
) }}
