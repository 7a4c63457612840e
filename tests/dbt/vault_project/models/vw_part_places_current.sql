{{ config(materialized='view') }}
{{ current_view('part_place_hk', ref('int_part_places_changed'), [
    {'hub': ref('hub_part'), 'hash_key': 'part_hk', 'business_key': 'part_id'},
    {'hub': ref('hub_place'), 'hash_key': 'place_hk', 'business_key': 'place_id'}
], link=ref('link_part_place')) }}
