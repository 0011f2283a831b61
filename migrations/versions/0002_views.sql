-- The views: what people read. Each can be thrown away and folded from the log again.

-- document is served as it is stored. Few indexes: live views are what an order costs most.
create table order_view (
    order_id text collate "C" not null,
    status text collate "C" not null,
    customer_id text collate "C" not null,
    placed_at timestamptz not null,
    position bigint not null,
    document text not null,
    constraint order_view_order primary key (order_id)
) with (fillfactor = 70);
create index order_view_placed on order_view (placed_at, order_id);
create index order_view_customer on order_view (customer_id, placed_at, order_id)
    where customer_id <> '';
create index order_view_status on order_view (status, placed_at, order_id);

create table stock_view (
    sku text collate "C" not null,
    on_hand bigint not null,
    reserved bigint not null,
    position bigint not null,
    updated_at timestamptz not null,
    constraint stock_view_sku primary key (sku)
) with (fillfactor = 50);

-- Money in minor units of currency. What each column counts stands in store/views/revenue.py.
create table revenue_daily (
    day date not null,
    currency text collate "C" not null,
    orders bigint not null,
    units bigint not null,
    gross bigint not null,
    charges bigint not null,
    cancelled_units bigint not null,
    cancelled bigint not null,
    returned_units bigint not null,
    returned bigint not null,
    captured bigint not null,
    refunded bigint not null,
    constraint revenue_daily_day primary key (day, currency)
) with (fillfactor = 50);
