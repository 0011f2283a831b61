-- A parked message can be edited: the new one takes its place in the queue under an id of its own.
alter table parked
    add column edit_id uuid,
    add column edit_headers json,
    add column edit_body bytea,
    drop constraint parked_wish,
    add constraint parked_wish check (wish in ('redrive', 'discard', 'edit')),
    add constraint parked_edit check (wish is distinct from 'edit' or edit_id is not null);

-- What somebody redrove, discarded or edited, as it was parked: who, when and why. What only stood
-- behind another is not here. parked_id can come twice: an edited message keeps its place.
create table unparked (
    id bigint generated always as identity,
    parked_id bigint not null,
    processor text collate "C" not null,
    topic text collate "C" not null,
    partition integer not null,
    key text collate "C" not null,
    command_id uuid not null,
    kind text collate "C" not null,
    cause text not null,
    error text not null,
    headers json not null,
    body bytea,
    attempts integer not null,
    parked_at timestamptz not null,
    wish text not null,
    wished_by text not null,
    wished_because text not null,
    wished_at timestamptz not null,
    edit_id uuid,
    ended_at timestamptz not null default clock_timestamp(),
    constraint unparked_id primary key (id)
);
create index unparked_parked on unparked (parked_id);
create index unparked_ended on unparked (ended_at);
