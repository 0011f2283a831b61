-- What somebody tried in vain stands in the history too, with why.
alter table unparked
    add column failed_cause text,
    add column failed_error text;
