{{ hub(
    hash_key='dataset_hk',
    business_key='dataset_id',
    sources=[
        {'relation': ref('stg_ml_results__runs'), 'where': arrived('ml_results/runs')},
    ],
) }}
