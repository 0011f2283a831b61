-- What relay, sweeper and timers keep besides their checkpoints, and the parts of outcome.

-- Facts up to since_position cause no command of this kind: it was deployed after they were relayed.
create table command_kind (
    kind text collate "C" not null,
    since_position bigint not null,
    constraint command_kind_kind primary key (kind)
);

-- How many partitions a topic must have. A key's partition follows from it, so nobody reads or
-- relays while Kafka says another number.
create table topic_plan (
    topic text collate "C" not null,
    partitions integer not null,
    constraint topic_plan_topic primary key (topic),
    constraint topic_plan_some check (partitions > 0)
);

-- Wishes without an outcome are looked for by age.
create index idempotency_created on idempotency (created_at);

-- The smallest command id of a day (UTC): ids begin with milliseconds.
create function first_command_id(day date) returns uuid language sql immutable as $$
    select (lpad(to_hex((extract(epoch from day::timestamp) * 1000)::bigint), 12, '0')
            || repeat('0', 20))::uuid
$$;

-- Takes the week's rows out of the default part; says whether there was anything to do. Runs as the
-- owner of the tables; gives up after two seconds rather than hold the workers up.
create function add_outcome_part(monday date) returns boolean language plpgsql
    security definer set search_path = public, pg_temp set lock_timeout = '2s' as $$
declare
    part text := 'outcome_' || to_char(monday, 'YYYYMMDD');
    low uuid := first_command_id(monday);
    high uuid := first_command_id(monday + 7);
begin
    if extract(isodow from monday) <> 1 then
        raise exception '% is no Monday', monday using errcode = '22023';
    end if;
    if to_regclass(part) is not null then
        return false;
    end if;
    lock table outcome_default in access exclusive mode;
    if to_regclass(part) is not null then
        return false;
    end if;
    execute format('create table %I (like outcome including all)', part);
    execute format('with moved as (delete from outcome_default where command_id >= %L'
                   ' and command_id < %L returning *) insert into %I select * from moved',
                   low, high, part);
    execute format('alter table outcome attach partition %I for values from (%L) to (%L)',
                   part, low, high);
    return true;
end $$;

-- Drops a week that ended 30 days ago and more, when nobody can ask for it any more: it holds no
-- parked row, and the done points of relay commands and of wishes have passed it.
create function drop_outcome_part(monday date) returns boolean language plpgsql
    security definer set search_path = public, pg_temp set lock_timeout = '2s' as $$
declare
    part text := 'outcome_' || to_char(monday, 'YYYYMMDD');
    ended timestamptz := (monday + 7)::timestamp at time zone 'UTC';
    done bigint := coalesce((select position from checkpoint where name = 'sweeper'), 0);
    wishes bigint := coalesce((select position from checkpoint where name = 'wishes'), 0);
    held boolean;
begin
    if to_regclass(part) is null or ended > now() - interval '30 days' then
        return false;
    end if;
    if wishes < extract(epoch from ended) * 1000
       or exists (select from event where position > done and recorded_at < ended) then
        return false;
    end if;
    execute format('lock table %I in share row exclusive mode', part);
    execute format('select exists (select from %I where result = ''parked'')', part) into held;
    if held then
        return false;
    end if;
    execute format('alter table outcome detach partition %I', part);
    execute format('drop table %I', part);
    return true;
end $$;

do $$ begin
    revoke execute on function add_outcome_part(date), drop_outcome_part(date) from public;
    if exists (select 1 from pg_roles where rolname = 'quire_app') then
        grant execute on function add_outcome_part(date), drop_outcome_part(date) to quire_app;
    end if;
end $$;
