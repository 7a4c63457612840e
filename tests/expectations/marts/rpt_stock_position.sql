-- good
create table rpt_stock_position (
    stock_position_key varchar, item_id varchar, tower_id varchar,
    quantity_on_hand decimal(18, 3), erp_current_stock decimal(14, 3),
    is_below_reorder_point boolean, as_of_date date
);
insert into rpt_stock_position values
('p1', '010825', 'BAFRD017', 10.375, 10.375, false, '2024-10-02'),
('p2', '010825', 'BR80584-A', 0, null, true, '2024-10-02'),
('p3', '0148', 'BR80584-A', 3, 3, true, '2024-10-02'),
('p4', '0200', 'BR80584-A', -2, -2, true, '2024-10-02');
-- bad_no_position: expect_table_row_count_to_be_between of rpt_stock_position
delete from rpt_stock_position;
-- bad_a_report_twice_as_long: expect_table_row_count_to_be_between of rpt_stock_position (drift)
insert into rpt_stock_position
select 'x' || n, '0200', 'T' || n, 1, 1, false, '2024-10-02' from generate_series(1, 1000) as s (n);
-- bad_less_than_nothing: unexpected_rows_expectation of rpt_stock_position
update rpt_stock_position set quantity_on_hand = -0.001 where item_id = '0148';
-- bad_a_day_that_is_over: expect_column_min_to_be_between of rpt_stock_position.as_of_date
update rpt_stock_position set as_of_date = '2024-09-30' where item_id = '0148';
-- bad_a_day_to_come: expect_column_max_to_be_between of rpt_stock_position.as_of_date
update rpt_stock_position set as_of_date = '2024-10-03' where item_id = '0148';
