-- good
create table rpt_stock_position (
    stock_position_key varchar, item_id varchar, tower_id varchar,
    quantity_on_hand decimal(18, 3), erp_current_stock decimal(14, 3),
    stock_value_brl decimal(28, 5), days_of_cover decimal(18, 6),
    is_below_reorder_point boolean, as_of_date date
);
insert into rpt_stock_position values
('p1', '010825', 'BAFRD017', 10.375, 10.375, 4000000, 300, false, '2024-10-02'),
('p2', '010825', 'BR80584-A', 0, null, 0, 0, true, '2024-10-02'),
('p3', '0148', 'BR80584-A', 3, 3, 37.02, null, true, '2024-10-02'),
('p4', '0200', 'BR80584-A', -2, -2, 0, null, true, '2024-10-02');
insert into rpt_stock_position
select 'q' || n, '0300', 'T' || n, 1, 1, 1, 150, false, date '2024-10-02'
from generate_series(1, 100) as s (n);
-- bad_no_position: expect_table_row_count_to_be_between of rpt_stock_position
delete from rpt_stock_position;
-- bad_a_report_twice_as_long: expect_table_row_count_to_be_between of rpt_stock_position (drift)
insert into rpt_stock_position
select 'x' || n, '0200', 'T' || n, 1, 1, 1, 150, false, '2024-10-02'
from generate_series(1, 1000) as s (n);
-- bad_less_than_nothing: unexpected_rows_expectation of rpt_stock_position
update rpt_stock_position set quantity_on_hand = -0.001 where item_id = '0148';
-- bad_stock_worth_nothing: expect_column_sum_to_be_between of rpt_stock_position.stock_value_brl (drift)
update rpt_stock_position set stock_value_brl = stock_value_brl / 100;
-- bad_demand_gone: expect_column_mean_to_be_between of rpt_stock_position.days_of_cover (drift)
update rpt_stock_position set days_of_cover = 10 * days_of_cover;
-- bad_a_day_that_is_over: expect_column_min_to_be_between of rpt_stock_position.as_of_date
update rpt_stock_position set as_of_date = '2024-09-30';
-- bad_a_day_to_come: expect_column_max_to_be_between of rpt_stock_position.as_of_date
update rpt_stock_position set as_of_date = '2024-10-03';
