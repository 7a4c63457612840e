-- Grain: one row per item that some active supplier offers on as_of_date: its cheapest terms.
with ranked as (
    select
        terms.item_id,
        terms.supplier_id,
        suppliers.supplier_name,
        terms.unit_price_brl,
        terms.min_order_quantity,
        terms.order_multiple,
        terms.lead_time_days as promised_days,
        row_number() over (
            partition by terms.item_id
            order by terms.unit_price_brl, terms.lead_time_days, terms.item_supplier_id
        ) as place
    from {{ ref('vw_item_suppliers_current') }} as terms
    inner join {{ ref('vw_suppliers_current') }} as suppliers
        on terms.supplier_id = suppliers.supplier_id
    where suppliers.is_active
        and terms.valid_from <= {{ as_of_date() }}
        and (terms.valid_to >= {{ as_of_date() }} or terms.valid_to is null)
)

select
    item_id,
    supplier_id,
    supplier_name,
    unit_price_brl,
    min_order_quantity,
    order_multiple,
    promised_days
from ranked
where place = 1
