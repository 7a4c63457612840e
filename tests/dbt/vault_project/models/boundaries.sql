{{ config(materialized='view') }}
select * from raw.boundaries
