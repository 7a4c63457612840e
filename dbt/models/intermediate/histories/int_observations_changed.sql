{{ config(unique_key='observation_hk') }}

{{ change_history(
    hash_key='observation_hk',
    satellite=ref('sat_observation__weather'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'weather', 'entity': 'observations'},
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
) }}
