-- Grain: one row per class of an item by value.
{#- For how long an order is to last: what is dear is bought little at a time. #}
{%- for abc_class, cover_days in [('A', 15), ('B', 30), ('C', 60)] %}
select
    '{{ abc_class }}' as abc_class,
    {{ cover_days }} as cover_days
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
