{{ pit(
    hash_key='item_hk',
    hub=ref('hub_item'),
    histories={'sat_item__erp': ref('int_items_changed')},
) }}
