-- Few rows match; they are locked in the projector's own order, so that nobody deadlocks with it.
-- What a projector of older code writes afterwards a rebuild of the view finds.
with old as (
    select order_id, document::jsonb as document from order_view
    where document like '%"status":"refused"%' or document like '%"status":"failed"%'
        or document like '%"status":"requested"%' or document like '%"owed":[{%'
    order by order_id for no key update
)
update order_view set needs =
    case when old.document @? '$.parcels[*] ? (@.status == "refused")' then 1 else 0 end
    + case when old.document @? '$.notifications[*] ? (@.status == "failed" && !(@.code == "contact_erased"))' then 2 else 0 end
    + case when old.document @? '$.owed[*]' then 4 else 0 end
    + case when old.document @? '$.returns[*] ? (@.status == "requested")' then 8 else 0 end
from old where order_view.order_id = old.order_id;
