-- scrypt, as src/accounts/passwords.ts writes it; null: nobody can sign in
alter table users add column password_hash text;
