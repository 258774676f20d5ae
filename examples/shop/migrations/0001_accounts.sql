create table users (
  id integer generated always as identity primary key,
  email text not null,
  -- what the payment provider gave us in place of the card; null until the user stores one
  card_token text,
  created_at timestamptz not null default now()
);

create unique index users_email_key on users (lower(email));
