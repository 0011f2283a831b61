-- One bit for each thing that an order needs a person for; store/views/needs.py names them.
alter table order_view add column needs smallint not null default 0;
