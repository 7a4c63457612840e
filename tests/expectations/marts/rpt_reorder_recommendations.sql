-- good
create table rpt_reorder_recommendations (
    item_id varchar, store_tower_id varchar, urgency_rank bigint,
    recommended_quantity decimal(18, 3), order_value_brl decimal(28, 5),
    service_level decimal(7, 6), protection_days decimal(18, 6), reason varchar, as_of_date date
);
insert into rpt_reorder_recommendations values
('010825', 'BR80584-A', 1, 5, 1000000, 0.98, 15.380952, 'Order 5 now', '2024-10-02'),
('0148', 'BR80584-A', 2, 0, null, 0.5, 1, 'Nothing to order', '2024-10-02');
insert into rpt_reorder_recommendations
select 'p' || n, 'T', 2 + n, 1, 1, 0.9, 8, 'Order 1 now', date '2024-10-02'
from generate_series(1, 100) as s (n);
-- bad_no_list: expect_table_row_count_to_be_between of rpt_reorder_recommendations
delete from rpt_reorder_recommendations;
-- bad_a_list_twice_as_long: expect_table_row_count_to_be_between of rpt_reorder_recommendations (drift)
insert into rpt_reorder_recommendations
select 'x' || n, 'T', n, 0, null, 0.9, 8, 'Nothing to order', '2024-10-02'
from generate_series(1, 1000) as s (n);
-- bad_no_word: expect_column_value_lengths_to_be_between of rpt_reorder_recommendations.reason
update rpt_reorder_recommendations set reason = 'Order' where urgency_rank = 1;
-- bad_plans_to_run_out: expect_column_values_to_be_between of rpt_reorder_recommendations.service_level
update rpt_reorder_recommendations set service_level = 0.05 where urgency_rank = 1;
-- bad_endless_protection: expect_column_values_to_be_between of rpt_reorder_recommendations.protection_days
update rpt_reorder_recommendations set protection_days = 401 where urgency_rank = 1;
-- bad_a_list_too_dear: expect_column_sum_to_be_between of rpt_reorder_recommendations.order_value_brl (drift)
update rpt_reorder_recommendations set order_value_brl = 9000000 where urgency_rank = 1;
-- bad_a_day_that_is_over: expect_column_min_to_be_between of rpt_reorder_recommendations.as_of_date
update rpt_reorder_recommendations set as_of_date = '2024-09-30';
-- bad_a_day_to_come: expect_column_max_to_be_between of rpt_reorder_recommendations.as_of_date
update rpt_reorder_recommendations set as_of_date = '2024-10-03';
