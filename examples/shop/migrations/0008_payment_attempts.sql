-- That the payment provider is about to be asked for a charge: committed before it is asked, so that whatever fails afterwards, there
-- is a key by which a charge can be found that no order stands for.
create table payment_attempts (
  idempotency_key uuid primary key,
  status text not null constraint payment_attempts_status_is_known check (
    status in ('open', 'settled', 'abandoned', 'void', 'refunded')
  ),
  created_at timestamptz not null
);

create index payment_attempts_unfinished on payment_attempts (created_at) where status in ('open', 'abandoned');

alter table payments add constraint payments_attempt foreign key (idempotency_key) references payment_attempts;
