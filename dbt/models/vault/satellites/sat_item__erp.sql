{{ satellite(
    hash_key='item_hk',
    payload=[
        'item_name',
        'family',
        'unit',
        'criticality',
        'is_service',
        'description',
        'unit_cost_brl',
        'created_at',
        'updated_at',
    ],
    source={'relation': ref('stg_erp__items'), 'where': arrived('erp/items')},
) }}
