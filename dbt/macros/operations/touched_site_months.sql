{#
What. The sites and months of int_site_availability that this build computes again.
Why. The last month that is there was not over when it was built, at any site.
Args. availability: the relation itself.
Example. {{ taken_out(touched_site_months(this), ['tower_id', 'month_date']) }}
#}
{% macro touched_site_months(availability) -%}
    select
        tower_id,
        month_date
    from {{ availability }}
    where month_date = (select max(month_date) from {{ availability }})
        or tower_id in (
{{ touched_sites() }}
        )
{%- endmacro %}
