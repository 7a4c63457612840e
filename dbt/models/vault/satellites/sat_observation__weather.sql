{{ satellite(
    hash_key='observation_hk',
    payload=[
        'station_hk',
        'observed_at',
        'station_name',
        'state',
        'latitude',
        'longitude',
        'precipitation_mm',
        'temperature_c',
        'humidity_pct',
        'wind_speed_ms',
        'wind_gust_ms',
    ],
    source={
        'relation': ref('stg_weather__observations'), 'where': arrived('weather/observations')
    },
) }}
