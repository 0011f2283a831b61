-- Where each sku lies: an order takes it into its lines, and sends a parcel from each warehouse.
-- Workers and projector that know it come first, doors that write it after them.
alter table catalogue add column warehouse text collate "C" not null default 'main';
