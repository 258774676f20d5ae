create table profiles (
  id integer generated always as identity primary key,
  user_id integer not null constraint profiles_user_id_key unique references users,
  first_name text not null constraint profiles_first_name_is_given check (first_name <> ''),
  last_name text not null constraint profiles_last_name_is_given check (last_name <> ''),
  bio text not null default ''
);
