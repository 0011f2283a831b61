-- The status of the first answer that was given under a key; null until a request that waits was
-- answered. What was answered before, and what older code writes, was 202.
alter table idempotency add column status smallint default 202;
