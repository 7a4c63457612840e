{{ link(
    hash_key='work_order_references_hk',
    foreign_keys=['work_order_hk', 'tower_hk', 'contract_hk'],
    optional_keys=['contract_hk'],
    sources=[
        {'relation': ref('stg_erp__work_orders'), 'where': arrived('erp/work_orders')},
    ],
) }}
