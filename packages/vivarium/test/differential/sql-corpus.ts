/** Statements that PostgreSQL 18 parses, in every shape that the gateway must tell apart. Test data. */
export const statements: readonly string[] = String.raw`
begin
begin work
begin transaction
begin isolation level serializable
begin work isolation level read committed, read write, not deferrable
begin transaction isolation level repeatable read read only deferrable
begin read only
begin isolation level read uncommitted
begin isolation level serializable isolation level read committed, read only, read write
start transaction
start transaction isolation level serializable, read only, deferrable
start transaction read write
commit
commit work
commit transaction
commit and chain
commit work and no chain
commit transaction and chain
commit prepared 'gid'
commit prepared E'g\'id'
end
end work
end transaction and no chain
end and chain
rollback
rollback work
rollback transaction
rollback and chain
rollback work and no chain
rollback prepared 'gid'
rollback to a
rollback to savepoint a
rollback work to savepoint "A b"
rollback transaction to x
rollback to savepoint
rollback to work
rollback work to work
abort
abort work
abort transaction and chain
abort and no chain
savepoint a
savepoint Mixed
savepoint "Mixed ""quoted"""
savepoint U&"d\0061t\+000061"
savepoint U&"d!0061t" uescape '!'
savepoint U&"a\\b"
savepoint savepoint
savepoint Übung
savepoint Ünï$1
savepoint begin
savepoint values
savepoint _1
savepoint averyveryveryveryveryveryveryveryveryveryveryverylongsavepointnameindeed
savepoint "ééééééééééééééééééééééééééééééééééééééééé"
savepoint "a;b"
release a
release savepoint a
release savepoint
release savepoint savepoint
release "Q x"
release transaction
prepare transaction 'gid'
prepare transaction U&'gid'
prepare transaction $$gid$$
set transaction isolation level serializable
set transaction read only
set local transaction read only
set session transaction isolation level repeatable read, read write
set transaction snapshot '00000003-0000001B-1'
set transaction not deferrable
set session characteristics as transaction read only
set session characteristics as transaction isolation level serializable, deferrable
set local session characteristics as transaction read write
set session session characteristics as transaction read write
set constraints all deferred
set constraints a, b.c immediate
set search_path to a, b
set search_path = a
set local search_path to 'x', "Y", public
set session search_path to default
set local search_path = default
set schema 'x'
set local schema 'x'
set time zone 'Europe/Berlin'
set time zone utc
set time zone -3
set time zone +5.5
set time zone default
set time zone local
set local time zone interval '-08:00' hour to minute
set time zone interval(2) '1'
set time zone interval '3' hour
set session time zone 'utc'
set names
set names 'utf8'
set names default
set role x
set role "X y"
set role none
set role 'none'
set local role 'x'
set session role x
set role to x
set role = default
set session authorization x
set session authorization default
set session authorization 'x'
set local session authorization x
set session session authorization default
set xml option document
set xml option content
set local xml option content
set app.tenant = '1'
set local "App".user_id to 5
set a.b.c = on
set x to true
set x = false
set x = off
set x = "ééééééééééééééééééééééééééééééééééééééééé"
set x = 'it''s'
set x = E'a\nb'
set x = $a$ ; $a$
set x = -1.5e3
set x = 0x1F
set x=-1
set x = 'a'
'b'
set x = 1, -2, c
set statement_timeout = '5s'
set x from current
set local x from current
set local to 1
set session = 1
set local.x = 1
set session.x = 1
set local local.x = 1
set transaction = 1
set transaction.y = 1
set names = 1
set constraints = 1
set schema = 1
set enable_seqscan to off
set default_transaction_isolation to 'serializable'
reset all
reset x
reset a.b
reset role
reset session authorization
reset time zone
reset transaction isolation level
reset "App".X
show all
show search_path
show time zone
show transaction isolation level
show session authorization
show a.b
show transaction_isolation
prepare p as select 1
prepare p (int, text[], numeric(10, 2)) as select $1, $2
prepare "P q" as insert into t values (1)
prepare transaction as select 1
prepare prepare as select 1
execute p
execute p (1, 'a', (select 2))
execute "P q"
explain execute p
explain analyze execute p (1)
explain analyze verbose execute p
explain (analyze, buffers off) execute p (1)
explain verbose select 1
explain analyze update t set a = 1
create table x as execute p
create temp table x as execute p (1)
create unlogged table if not exists x.y (a, b) with (fillfactor = 50) tablespace z as execute p with no data
create temporary table x on commit drop as execute p
explain create table x as execute p
create table x as select 1
create table x (a int default 1, b text)
deallocate p
deallocate prepare p
deallocate prepare
deallocate all
deallocate prepare all
deallocate "P q"
discard all
discard plans
discard sequences
discard temp
discard temporary
declare c cursor for select 1
declare c cursor with hold for select 1
declare c cursor without hold for select 1
declare "C d" binary insensitive no scroll cursor with hold for select 1
declare c scroll cursor for select 1 for update
declare c asensitive cursor for values (1)
close c
close all
close "C d"
fetch next from c
move all in c
lock t
lock table t in access exclusive mode nowait
lock table only a, b.c in share mode
listen a
listen "A b"
unlisten a
unlisten *
notify a
notify a, 'payload'
copy t from stdin
copy t (a, b) to stdout with (format csv)
copy t from '/tmp/x'
copy t to program 'cat'
copy (select a from b where c in (1, 2)) to stdout
copy binary t from stdin
copy s.t from stdin with delimiter ','
copy t from stdout
copy t to stdin
vacuum
vacuum full t
vacuum (analyze, verbose) a, b
analyze t
create database d
drop database d
create index concurrently on t (a)
create unique index concurrently i on t (a)
drop index concurrently i
reindex table concurrently t
reindex (verbose, concurrently) index i
reindex database d
alter system set x = 1
alter table t add column a int
select 1
select 'begin'; select "commit"
select $1; commit
begin; insert into t values (1); commit
begin;; ; commit;
select ';' ; select $$ ; $$; select $x$ $$ ; $x$
select 1 /* ; */ ; -- ; commit
select E'\'; commit; ' ; rollback
select U&'\0041;' ; end
select "a;b" from t ; abort
select 1 as end; end
with a as (select 1) select * from a
insert into t default values returning a
update t set a = 1 where b = $1::int
delete from t using u where t.a = u.a
merge into t using u on t.a = u.a when matched then delete
truncate a, b restart identity cascade
do $$ begin commit; end $$
do language plpgsql 'begin null; end'
call p(1)
create function f() returns int language sql as $$ select 1; select 2 $$
create function f() returns int begin atomic select 1; select 2; end; commit
create or replace function f(a int) returns int language sql begin atomic; select case when a = 1 then 1 else 2 end; select 3; end; begin
create procedure p() begin atomic insert into t values (1); update t set a = case when a = 1 then case b when 1 then 2 end end; end
create procedure p() begin atomic end; select 1
create function f() returns int begin atomic select a end from t; select case b when 1 then 2 end end from t; end; commit
create or replace procedure p(x int default 1) language sql begin atomic select a.end, b as end, c as case from t a; end; rollback
create function f() returns int return 1; select 1
create rule r as on insert to t do also (insert into a values (1); delete from b); select 1
create rule r as on update to t do instead nothing; commit
create view v as select 1
create role x
grant select on t to x
comment on table t is 'begin; commit'
explain select 1
values (1), (2)
table t
(select 1) union (select 2)
select 1 into t
select a-- comment
-b from t
select 1+-2, a <-- b
 c from t
select (array[1,2])[1], a.b.c, x::int::text, 1.5, .5, 1e10, f(a => 1, b := 2)
select 'é😀'; savepoint é
`
  .trim()
  .split(/\n(?=[a-z(])/)

/** Statements that the server refuses to parse although they begin like a command. */
export const brokenStatements: readonly string[] = String.raw`
begin foo
begin work transaction
begin isolation level
begin isolation level snapshot
begin read only,
begin , read only
begin read only,, read write
begin and chain
begin 'x'
begin transaction isolation serializable
start
start work
start transaction work
start transaction read
commit foo
commit and
commit and no
commit no chain
commit work work
commit to a
commit prepared
commit prepared gid
commit prepared 'a' 'b'
commit prepared X'00'
commit prepared N'a'
end work work
end 1
abort to a
abort work to savepoint a
rollback a
rollback to
rollback to savepoint a b
rollback to savepoint savepoint savepoint
rollback to select
rollback savepoint a
rollback work and chain to a
savepoint
savepoint 1
savepoint 'a'
savepoint ""
savepoint a.b
savepoint a, b
savepoint select
savepoint user
savepoint left
savepoint authorization
savepoint $1
savepoint a /* unterminated
savepoint "a
savepoint 1a
release
release savepoint a b
release work a
release 'a'
prepare transaction
prepare transaction gid
prepare transaction 'a' and chain
set transaction
set transaction foo
set transaction snapshot
set transaction snapshot x
set transaction read only,
set session characteristics as transaction
set session characteristics as
set session characteristics transaction read only
rollback ) work
(commit)
commit)
begin()
select (1; commit
`
  .trim()
  .split('\n')
