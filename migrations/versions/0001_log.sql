-- The log, and all that is written in one transaction with it.

create table event (
    position bigint generated always as identity,
    stream text collate "C" not null,
    version integer not null,
    type text collate "C" not null,
    id uuid not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    correlation text collate "C" not null,
    causation uuid not null,
    source text collate "C" not null,
    imported boolean not null,
    data json not null,
    hash bytea not null,
    constraint event_position primary key (position),
    constraint event_stream_version unique (stream, version),
    constraint event_version_from_one check (version >= 1)
);
comment on table event is 'Every fact, for ever. position is the global order; hash covers the previous hash of the stream.';

create function event_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the log is append-only' using errcode = 'QR001', hint = 'record a new fact instead';
end $$;
create trigger event_append_only before update or delete or truncate on event
    for each statement execute function event_is_append_only();

-- What became of each command; version is the first that it wrote in its stream. Ranges of command
-- ids follow the time in front of the id.
create table outcome (
    command_id uuid not null,
    result text collate "C" not null,
    code text,
    version integer,
    detail text,
    constraint outcome_command primary key (command_id),
    constraint outcome_result check (result in ('applied', 'refused', 'noop', 'parked', 'discarded'))
) partition by range (command_id);
create table outcome_default partition of outcome default;

-- Who owns a partition of a topic, and where the next owner begins.
create table fence (
    processor text collate "C" not null,
    topic text collate "C" not null,
    partition integer not null,
    version bigint not null,
    next_offset bigint not null,
    constraint fence_partition primary key (processor, topic, partition)
);

-- The fold of the inventory events. version and head are those of the stream stock-<sku>.
create table stock_level (
    sku text collate "C" not null,
    on_hand bigint not null default 0,
    reserved bigint not null default 0,
    version integer not null default 0,
    head bytea not null default '\x',
    constraint stock_level_sku primary key (sku),
    constraint stock_level_sound check (on_hand >= reserved and reserved >= 0)
);

-- Orders that wait for a sku, oldest place first.
create table waiting (
    sku text collate "C" not null,
    order_id text collate "C" not null,
    quantity bigint not null,
    place bigint generated always as identity,
    lines json not null,
    constraint waiting_order primary key (sku, order_id)
);
create index waiting_place on waiting (sku, place);

-- Durable deadlines: at most one of a name in a stream; the name is the kind, and the subject where there can be several.
create table timer (
    stream text collate "C" not null,
    name text collate "C" not null,
    id uuid not null,
    due_at timestamptz not null,
    kind text collate "C" not null,
    key text collate "C" not null,
    context text collate "C" not null,
    correlation text collate "C" not null,
    causation uuid not null,
    command text not null,
    constraint timer_stream_name primary key (stream, name)
);
create index timer_due on timer (due_at, id);

-- Messages set aside, and those of the same key behind them.
create table parked (
    id bigint generated always as identity,
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
    attempts integer not null default 1,
    parked_at timestamptz not null,
    wish text,
    wished_by text,
    wished_because text,
    wished_at timestamptz,
    constraint parked_id primary key (id),
    constraint parked_command unique (processor, command_id),
    constraint parked_wish check (wish in ('redrive', 'discard'))
);
create index parked_key on parked (processor, key, id);

-- How far each reader of the log has come. state is the reader's own.
create table checkpoint (
    name text collate "C" not null,
    position bigint not null,
    state json,
    moved_at timestamptz not null default now(),
    constraint checkpoint_name primary key (name)
);

-- Signed Merkle roots over runs of positions without a gap; leaves holds the first four bytes of
-- each leaf, which tell where a run differs from its root.
create table seal (
    number bigint not null,
    first_position bigint not null,
    last_position bigint not null,
    events bigint not null,
    root bytea not null,
    leaves bytea not null,
    previous bytea not null,
    signature bytea not null,
    sealed_at timestamptz not null,
    constraint seal_number primary key (number)
);
create trigger seal_append_only before update or delete or truncate on seal
    for each statement execute function event_is_append_only();

-- A wish from outside: the caller's key, the ids made for it, and the whole sealed command.
create table idempotency (
    caller text collate "C" not null,
    key text collate "C" not null,
    command_id uuid not null,
    subject text collate "C" not null,
    request_hash bytea not null,
    state text collate "C" not null default 'open',
    topic text collate "C" not null,
    headers json not null,
    record_key text collate "C" not null,
    body bytea not null,
    answer bytea,
    created_at timestamptz not null,
    constraint idempotency_key primary key (caller, key),
    constraint idempotency_state check (state in ('open', 'answered'))
);
create index idempotency_subject on idempotency (subject);

-- A key per customer (a guest: per order), wrapped by the master key. Deleting it erases the person.
create table contact_key (
    subject text collate "C" not null,
    wrapped bytea not null,
    created_at timestamptz not null default now(),
    constraint contact_key_subject primary key (subject)
);

-- What can be ordered, and for how much.
create table catalogue (
    sku text collate "C" not null,
    title text not null,
    amount_minor bigint not null,
    currency text collate "C" not null,
    details json not null default '{}',
    constraint catalogue_sku primary key (sku)
);

-- Raises when another owner wrote since: the fence proves ownership.
create function hold_fence(
    a_processor text, a_topic text, partitions integer[], versions bigint[], next_offsets bigint[]
) returns void language plpgsql as $$
declare moved integer;
begin
    perform 1 from fence f
      where f.processor = a_processor and f.topic = a_topic and f.partition = any(partitions)
      order by f.partition for update;
    update fence f set version = f.version + 1, next_offset = w.next_offset
      from unnest(partitions, versions, next_offsets) as w(partition, version, next_offset)
     where f.processor = a_processor and f.topic = a_topic
       and f.partition = w.partition and f.version = w.version;
    get diagnostics moved = row_count;
    if moved <> cardinality(partitions) then
        raise exception 'another owner holds a partition of %', a_topic using errcode = 'QR002';
    end if;
end $$;

-- Appends in the order given and returns nothing. The lock comes last, so that position order is
-- commit order; the caller commits in the same flush.
create function append_events(
    streams text[], versions integer[], types text[], ids uuid[], occurred timestamptz[],
    recorded timestamptz[], correlations text[], causations uuid[], sources text[],
    was_imported boolean[], bodies text[], hashes bytea[]
) returns void language plpgsql as $$
declare gap text;
begin
    perform pg_advisory_xact_lock(7465);
    select n.stream into gap
      from (select s.stream, min(s.version) as version
              from unnest(streams, versions) as s(stream, version) group by s.stream) n
     where n.version > 1 and not exists (
           select 1 from event e where e.stream = n.stream and e.version = n.version - 1)
     limit 1;
    if gap is not null then
        raise exception 'stream % does not end there', gap using errcode = 'QR003';
    end if;
    insert into event (stream, version, type, id, occurred_at, recorded_at, correlation, causation,
                       source, imported, data, hash)
    select e.stream, e.version, e.type, e.id, e.occurred_at, e.recorded_at, e.correlation, e.causation,
           e.source, e.imported, e.body::json, e.hash
      from unnest(streams, versions, types, ids, occurred, recorded, correlations, causations,
                  sources, was_imported, bodies, hashes)
           with ordinality as e(stream, version, type, id, occurred_at, recorded_at, correlation,
                                causation, source, imported, body, hash, n)
     order by e.n;
end $$;

-- The service may add to the log and never change it. Later tables are granted as they come.
do $$ begin
    if exists (select 1 from pg_roles where rolname = 'quire_app') then
        grant usage on schema public to quire_app;
        grant select, insert, update, delete on all tables in schema public to quire_app;
        grant usage, select on all sequences in schema public to quire_app;
        alter default privileges in schema public
            grant select, insert, update, delete on tables to quire_app;
        alter default privileges in schema public grant usage, select on sequences to quire_app;
        revoke update, delete, truncate on event, seal from quire_app;
    end if;
end $$;
