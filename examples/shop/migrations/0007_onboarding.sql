alter table users
  add column onboarding_state text not null default 'registered' constraint users_onboarding_state_is_known check (
    onboarding_state in ('registered', 'verification_pending', 'verified', 'profile_complete', 'payment_complete', 'active')
  ),
  -- SHA-256 of what was mailed: who reads the database cannot verify an email with it. It stays when it has been used, so that it
  -- can be told from one that never was.
  add column verification_hash text constraint users_verification_hash_key unique,
  add column verification_expires_at timestamptz,
  add column verification_used_at timestamptz,
  add constraint users_pending_verification_has_a_token check (
    onboarding_state <> 'verification_pending'
    or (verification_hash is not null and verification_expires_at is not null and verification_used_at is null)
  );
