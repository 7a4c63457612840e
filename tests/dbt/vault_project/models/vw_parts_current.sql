{{ config(materialized='view') }}
{{ current_view('part_hk', ref('int_parts_changed__shop'), [
    {'hub': ref('hub_part'), 'hash_key': 'part_hk', 'business_key': 'part_id'}
], ['part_name']) }}
