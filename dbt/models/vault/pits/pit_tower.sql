{{ pit(
    hash_key='tower_hk',
    hub=ref('hub_tower'),
    histories={'sat_tower__erp': ref('int_towers_changed')},
) }}
