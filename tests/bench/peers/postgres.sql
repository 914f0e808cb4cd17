-- A booking as PostgreSQL does it best: one call, which takes a seat only while there is one and
-- a person only once. Seats are plenty, so that every call books.
create table slots (
  slot integer primary key,
  seats integer not null,
  taken integer not null default 0
) with (fillfactor = 60); -- room for the changed row beside the old one

create table bookings (
  number bigint generated always as identity primary key,
  person uuid not null unique,
  slot integer not null references slots,
  booked_at timestamptz not null default clock_timestamp(),
  entry text not null -- about as many bytes as an entry of Sumun's journal
);

insert into slots (slot, seats) select at, 1000000 from generate_series(1, 5000) as at;

create function book(asked integer, who uuid, entry text) returns bigint language plpgsql as $$
declare
  given bigint;
begin
  update slots set taken = taken + 1 where slot = asked and taken < seats;
  if not found then
    return null;
  end if;
  insert into bookings (person, slot, entry) values (who, asked, entry) returning number into given;
  return given;
end
$$;

vacuum analyze slots;
