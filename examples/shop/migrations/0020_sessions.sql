create table sessions (
  -- SHA-256 of the token: who reads this table cannot sign in with what is in it
  token_hash text primary key,
  user_id integer not null references users on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);

create index sessions_user_id on sessions (user_id);
