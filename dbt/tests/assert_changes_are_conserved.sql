-- Every change that staging shows, up to the batch this build works on, is in its satellite, and no
-- satellite holds a change that nobody delivered. Counted by key, position, operation and content.
{%- set entities = {
    'suppliers': ('supplier_hk', 'sat_supplier__erp'),
    'items': ('item_hk', 'sat_item__erp'),
    'item_suppliers': ('item_supplier_hk', 'sat_item_supplier__erp'),
    'towers': ('tower_hk', 'sat_tower__erp'),
    'contracts': ('contract_hk', 'sat_contract__erp'),
    'tower_contracts': ('tower_contract_hk', 'eff_sat_tower_contract'),
    'inventory': ('item_tower_hk', 'sat_item_tower__erp'),
    'stock_movements': ('stock_movement_hk', 'sat_stock_movement__erp'),
    'orders': ('order_line_hk', 'sat_order_line__erp'),
    'goods_receipts': ('goods_receipt_hk', 'sat_goods_receipt__erp'),
    'work_orders': ('work_order_hk', 'sat_work_order__erp'),
    'material_requests': ('material_request_hk', 'sat_material_request__erp'),
    'outages': ('outage_hk', 'sat_outage__erp'),
} %}
with counted as (
    {%- for entity, (hash_key, satellite) in entities.items() %}
    select
        '{{ entity }}' as entity,
        (
            select count(*)
            from (
                select distinct {{ hash_key }}, seq, record_source, op, hashdiff
                from {{ ref('stg_erp__' ~ entity) }}
                where {{ hash_key }} is not null
                    and _batch_id <= {{ run_context('erp/' ~ entity).to_batch }}
            ) as delivered
        ) as delivered_changes,
        (
            select count(*)
            from (
                select distinct {{ hash_key }}, seq, record_source, op, hashdiff
                from {{ ref(satellite) }}
            ) as kept
        ) as kept_changes
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    entity,
    delivered_changes,
    kept_changes
from counted
where delivered_changes <> kept_changes
