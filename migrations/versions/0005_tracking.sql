-- A parcel is found by its tracking number, cut short so that any fits the index.
create index event_tracking on event (left(data ->> 'tracking', 200))
    where type = 'quire.shipping.created.v1';
