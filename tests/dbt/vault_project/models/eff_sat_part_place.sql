{{ effectivity_satellite('part_place_hk', ['part_name'], {
    'relation': ref('stg_shop'), 'where': arrived('cases/shop')
}) }}
