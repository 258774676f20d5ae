-- A calendar: rooms that are booked once at a time, opening hours, prices by date, recurring events.
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TYPE weekday AS ENUM ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun');
CREATE TYPE timerange AS RANGE (subtype = time);
CREATE DOMAIN time_zone AS text CHECK (VALUE ~ '^[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_]+)*$' OR VALUE = 'UTC');
CREATE DOMAIN colour AS text DEFAULT '#336699' CHECK (VALUE ~ '^#[0-9a-f]{6}$') NOT NULL;

CREATE TABLE calendars (
  id bigserial PRIMARY KEY,
  owner_email text NOT NULL,
  name text NOT NULL,
  zone time_zone NOT NULL,
  colour colour,
  week_starts_on weekday NOT NULL DEFAULT 'mon',
  UNIQUE (owner_email, name)
);

CREATE TABLE rooms (
  id bigserial PRIMARY KEY,
  name text NOT NULL UNIQUE,
  floor smallint NOT NULL CHECK (floor BETWEEN -3 AND 60),
  capacity integer NOT NULL CHECK (capacity > 0),
  equipment text[] NOT NULL DEFAULT '{}'
);

CREATE TABLE opening_hours (
  room_id bigint NOT NULL REFERENCES rooms,
  day weekday NOT NULL,
  opens time NOT NULL,
  closes time NOT NULL,
  PRIMARY KEY (room_id, day),
  CHECK (closes > opens)
);

CREATE TABLE bookings (
  id bigserial PRIMARY KEY,
  room_id bigint NOT NULL REFERENCES rooms,
  booked_by bigint NOT NULL REFERENCES calendars,
  during tstzrange NOT NULL CHECK (NOT isempty(during)),
  cancelled_at timestamptz,
  CONSTRAINT booked_once EXCLUDE USING gist (room_id WITH =, during WITH &&) WHERE (cancelled_at IS NULL)
);

-- One maintenance of the whole house at a time.
CREATE TABLE maintenance_windows (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  starts_on date NOT NULL,
  ends_on date NOT NULL,
  CHECK (ends_on >= starts_on),
  CONSTRAINT one_at_a_time EXCLUDE USING gist (daterange(starts_on, ends_on, '[]') WITH &&)
);

CREATE TABLE price_periods (
  room_id bigint NOT NULL REFERENCES rooms,
  valid daterange NOT NULL DEFAULT daterange('2020-01-01', NULL),
  cents_per_hour integer NOT NULL CHECK (cents_per_hour BETWEEN 0 AND 100000),
  discounts nummultirange NOT NULL,
  EXCLUDE USING gist (room_id WITH =, valid WITH &&)
);

CREATE TABLE events (
  id bigserial PRIMARY KEY,
  calendar_id bigint NOT NULL REFERENCES calendars,
  booking_id bigint UNIQUE REFERENCES bookings,
  title text NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  is_all_day boolean NOT NULL DEFAULT false,
  length interval GENERATED ALWAYS AS (ends_at - starts_at) STORED,
  rank integer NOT NULL,
  CONSTRAINT ends_later CHECK (ends_at > starts_at)
);

CREATE TABLE recurrences (
  event_id bigint PRIMARY KEY REFERENCES events,
  every interval NOT NULL,
  on_days weekday[] NOT NULL,
  until date,
  times integer,
  shift timerange NOT NULL,
  CONSTRAINT one_end CHECK ((until IS NULL) <> (times IS NULL)),
  CONSTRAINT some_times CHECK (times IS NULL OR times BETWEEN 2 AND 500)
);

CREATE TABLE attendees (
  event_id bigint NOT NULL REFERENCES events ON DELETE CASCADE,
  email text NOT NULL,
  response text NOT NULL DEFAULT 'none' CHECK (response IN ('none', 'yes', 'no', 'maybe')),
  seat bit(8) NOT NULL,
  location point,
  PRIMARY KEY (event_id, email)
);

CREATE TABLE holidays (
  country char(2) NOT NULL,
  day date NOT NULL,
  name text NOT NULL,
  PRIMARY KEY (country, day)
) PARTITION BY LIST (country);
CREATE TABLE holidays_de PARTITION OF holidays FOR VALUES IN ('DE');
CREATE TABLE holidays_rest PARTITION OF holidays FOR VALUES IN ('FR', 'IT', 'ES');
