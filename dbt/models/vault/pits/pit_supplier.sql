{{ pit(
    hash_key='supplier_hk',
    hub=ref('hub_supplier'),
    histories={'sat_supplier__erp': ref('int_suppliers_changed')},
) }}
