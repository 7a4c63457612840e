{#
What. The surrogate key that a fact carries: of the version found, else of the inferred member,
else the one that says no reference was given.
Why. A fact may come before the row it refers to; the inferred member's key stays right later.
Args. business_key: the fact's own column; found_key: the key of the version found, or null.
Example. {{ member_key('movements.item_id', 'items.item_key') }} as item_key
#}
{% macro member_key(business_key, found_key) -%}
    case
        when {{ business_key }} is null then {{ special_key('null') }}
        else coalesce({{ found_key }}, {{ surrogate_key(business_key, beginning_of_time()) }})
    end
{%- endmacro %}
