{{ satellite('part_hk', ['part_name'], {
    'relation': ref('stg_depot'), 'where': arrived('cases/depot')
}) }}
