{#
What. The key of one version of a dimension member: a hash of its business key and its opening.
Why. It is the same on every engine and in every rebuild, and a fact can compute the key of a
member that was not delivered yet.
Args. business_key: an SQL expression of type text; valid_from: when the version opens.
Example. {{ surrogate_key('item_id', 'valid_from') }} as item_key
#}
{% macro surrogate_key(business_key, valid_from) -%}
    {{ hash_of({business_key: 'text', valid_from: 'timestamp'}) }}
{%- endmacro %}
