{{ hub(
    hash_key='station_hk',
    business_key='station_id',
    sources=[
        {'relation': ref('stg_weather__observations'), 'where': arrived('weather/observations')},
    ],
) }}
