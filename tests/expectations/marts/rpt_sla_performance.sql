-- good
create table rpt_sla_performance (contract_id varchar, availability_pct decimal(18, 6));
insert into rpt_sla_performance values ('NC01', 0), ('NC02', 100), ('NC03', null);
-- bad_less_than_none: expect_column_values_to_be_between of rpt_sla_performance.availability_pct
update rpt_sla_performance set availability_pct = -0.000001;
