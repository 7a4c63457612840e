{{ current_view(
    hash_key='item_supplier_hk',
    history=ref('int_item_suppliers_changed'),
    keys=[
        {
            'hub': ref('hub_item_supplier'),
            'hash_key': 'item_supplier_hk',
            'business_key': 'item_supplier_id',
        },
    ],
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
) }}
