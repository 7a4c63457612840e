{#
What. The statement that takes the touched rows out of an incremental table, as its pre_hook; the
table then appends what they are now.
Why. A group whose last row was corrected away has no new row that could replace the old one, which
delete+insert would leave standing. Both happen in one transaction.
Args. touched: a query of the touched keys, the same that the model computes again; keys: list of
its columns, none of them null; and_where: SQL of what else must be true of the row and `touched`;
or_where: SQL of a condition for more rows to be taken out.
Example. {{ config(pre_hook="{{ taken_out(touched_demand(), ['item_id', 'demand_date']) }}") }}
#}
{% macro taken_out(touched, keys, and_where='true', or_where='false') -%}
{%- do require_arguments('taken_out', {'touched': touched, 'keys': keys}) -%}
{%- if is_incremental() -%}
    delete from {{ this }}
    where exists (
        select 1
        from (
{{ touched }}
        ) as touched
        where {% for key in keys %}touched.{{ key }} = {{ this }}.{{ key }}
            and {% endfor %}{{ and_where }}
    )
    or {{ or_where }}
{%- else -%}
    select 1
{%- endif -%}
{%- endmacro %}
