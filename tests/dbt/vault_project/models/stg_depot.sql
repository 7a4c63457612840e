{{ config(materialized='view') }}
select
    {{ hash_key({'part_id': 'text'}) }} as part_hk,
    part_id,
    {{ hash_key({'place_id': 'text'}) }} as place_hk,
    place_id,
    {{ hash_key({'part_id': 'text', 'place_id': 'text'}) }} as part_place_hk,
    {{ hash_of({'part_id': 'text', 'place_id': 'text'}) }} as part_any_place_hk,
    part_name,
    {{ hash_of({'part_name': 'text', 'unchanged_columns': 'text'}) }} as hashdiff,
    seq,
    op,
    unchanged_columns,
    committed_at,
    commit_lsn,
    extracted_at,
    load_ts,
    'depot' as record_source,
    _batch_id
from raw.depot
