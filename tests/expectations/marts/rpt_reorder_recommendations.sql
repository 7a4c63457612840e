-- good
create table rpt_reorder_recommendations (
    item_id varchar, store_tower_id varchar, urgency_rank bigint,
    recommended_quantity decimal(18, 3), reason varchar
);
insert into rpt_reorder_recommendations values
('010825', 'BR80584-A', 1, 5, 'Order 5'), ('0148', 'BR80584-A', 2, 0, 'Nothing to order');

-- bad_less_than_nothing: expect_column_values_to_be_between of rpt_reorder_recommendations.recommended_quantity
update rpt_reorder_recommendations set recommended_quantity = -1 where urgency_rank = 2;
