-- What each migration asks of the code that runs with it: the newest step that it has to know.
-- Older code reads this to see whether it may go on after a rolling update began.
create table schema_step (
    revision text collate "C" not null,
    needs text collate "C" not null,
    applied_at timestamptz not null default clock_timestamp(),
    constraint schema_step_revision primary key (revision),
    constraint schema_step_needs check (needs <= revision)
);
do $$ begin
    if exists (select 1 from pg_roles where rolname = 'quire_app') then
        revoke insert, update, delete, truncate on schema_step from quire_app;
    end if;
end $$;
