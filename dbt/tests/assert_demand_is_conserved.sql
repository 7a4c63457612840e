-- What is asked for by the requests that the ERP has now is in the fact, and nothing else is.
with asked as (
    select
        item_id,
        store_tower_id,
        cast(count(*) as bigint) as request_count,
        sum(requested_quantity) as requested_quantity,
        sum(issued_quantity) as issued_quantity
    from {{ ref('vw_material_requests_current') }}
    group by item_id, store_tower_id
),

kept as (
    select
        item_id,
        store_tower_id,
        cast(sum(request_count) as bigint) as request_count,
        sum(requested_quantity) as requested_quantity,
        sum(issued_quantity) as issued_quantity
    from {{ ref('fact_demand') }}
    group by item_id, store_tower_id
)

select
    coalesce(asked.item_id, kept.item_id) as item_id,
    coalesce(asked.store_tower_id, kept.store_tower_id) as store_tower_id
from asked
full outer join kept
    on asked.item_id = kept.item_id
    and asked.store_tower_id = kept.store_tower_id
where asked.request_count is distinct from kept.request_count
    or asked.requested_quantity is distinct from kept.requested_quantity
    or asked.issued_quantity is distinct from kept.issued_quantity
