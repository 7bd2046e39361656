// The statements of the feed (change_feed.hpp) and of its housekeeping.
#pragma once

#include <array>

#include "drivers/pg/query.hpp"

namespace um::postgres_feed_queries {

using pg::Query;

// Run once on each connection. Unqualified names mean PostgreSQL's own objects, whatever
// search_path the database or the role sets; objects of this program are named with their schema.
// The session fails fast and leaves nothing behind: what it writes needs no durability, because a
// crash changes the namespace. The planner cannot know that the bound of a poll selects few rows,
// and user_changes is a ring whose correlation misleads it: it would read the whole table. $1: the
// limit of one statement in milliseconds; $2: of waiting for a lock.
inline constexpr Query kSessionSettings{
    "settings",
    "select pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),"
    " pg_catalog.set_config('default_transaction_isolation', 'read committed', false),"
    " pg_catalog.set_config('default_transaction_read_only', 'off', false),"
    " pg_catalog.set_config('bytea_output', 'hex', false),"
    " pg_catalog.set_config('statement_timeout', $1, false),"
    " pg_catalog.set_config('lock_timeout', $2, false),"
    " pg_catalog.set_config('idle_in_transaction_session_timeout', $1, false),"
    " pg_catalog.set_config('client_connection_check_interval', '1s', false),"
    " pg_catalog.set_config('synchronous_commit', 'off', false),"
    " pg_catalog.set_config('enable_seqscan', 'off', false),"
    " pg_catalog.set_config('enable_bitmapscan', 'off', false),"
    " pg_catalog.set_config('jit', 'off', false)"};
// um_wake: poll now. um_seen: an instance has acknowledged holds.
inline constexpr std::string_view kWake = "um_wake";
inline constexpr std::string_view kSeen = "um_seen";
inline constexpr Query kListenWake{"listen_wake", "listen um_wake"};
inline constexpr Query kListenSeen{"listen_seen", "listen um_seen"};
// The part of the namespace that cannot change under a living connection, and the server's process:
// a pooler that hands each transaction to another one is no direct connection.
inline constexpr Query kServer{"server", "select public.cache_server(), pg_backend_pid()"};

// The poll: one statement, so one snapshot. $1: changes since this snapshot are returned; null:
// since the oldest mark of the namespace, or now. $2: at most so many. $3: the text of kServer. $4:
// the ids of known holds. Rows of three kinds:
//   state   namespace, now, since, horizon of the purges, -, settings, the server's process
//   change  xid, -, -, -, cache key
//   hold    hold id, -, -, -, cache key
// The running transactions of $1 are an array, because only then the index is used.
inline constexpr Query kPoll{"poll", R"(
  with state as materialized (
    select $3::text || ' ' || public.cache_state() as name_space, pg_current_snapshot() as now),
  mark as materialized (
    select m.snapshot from state, public.snapshot_marks m
     where m.tau = state.name_space order by m.number limit 1),
  since as materialized (
    select coalesce($1::pg_snapshot, (select snapshot from mark), state.now) as snapshot from state)
  select 'state', state.name_space, state.now::text, since.snapshot::text,
         (select h.snapshot::text from public.purge_horizon h where h.tau = state.name_space),
         null::bytea,
         (select concat_ws(' ', s.epoch, s.mode, s.staleness_bound_ms, s.instance_lease_ms,
                           s.instance_reap_ms, s.change_retention_ms, s.former_staleness_bound_ms)
            from public.cache_settings s),
         pg_backend_pid()
    from state, since
  union all
  (select 'change', c.xid::text, null, null, null, c.ckey, null, null from public.user_changes c
    where c.xid >= pg_snapshot_xmax((select snapshot from since)) limit $2)
  union all
  (select 'change', c.xid::text, null, null, null, c.ckey, null, null from public.user_changes c
    where c.xid = any (array(select pg_snapshot_xip(snapshot) from since)) limit $2)
  union all
  select 'hold', h.hold_id::text, null, null, null, h.ckey, null, null from public.cache_holds h
   where h.xid >= coalesce(pg_snapshot_xmax($1::pg_snapshot), '0')
  union all
  select 'hold', h.hold_id::text, null, null, null, h.ckey, null, null from public.cache_holds h
   where h.xid = any (array(select pg_snapshot_xip($1::pg_snapshot)))
  union all
  select 'hold', h.hold_id::text, null, null, null, h.ckey, null, null from public.cache_holds h
   where h.hold_id = any ($4::uuid[]))"};

// For a database without a namespace: makes a new incarnation. Returns the other faults of the
// schema, or null.
inline constexpr Query kRepair{"repair_namespace", "select public.cache_repair()"};

// $1 new id, $2 former ids, $3 protocol, $4 name, $5 the text of kServer. Returns the
// number of other instances, and the namespace.
inline constexpr Query kJoin{"join_instances",
                             "select public.join_instances($1::uuid, $2::uuid[], $3::integer, $4),"
                             " $5::text || ' ' || public.cache_state()"};
inline constexpr Query kRefresh{
    "refresh_instance",
    "update public.cache_instances set refreshes = refreshes + 1 where id = $1::uuid"
    " returning (select count(*) - 1 from public.cache_instances)"};
inline constexpr Query kAcknowledge{
    "acknowledge_holds",
    "insert into public.cache_acks (id, seen) select i.id, $2::pg_snapshot"
    " from public.cache_instances i where i.id = $1::uuid"};
inline constexpr Query kLeave{"leave_instances",
                              "delete from public.cache_instances where id = any ($1::uuid[])"};

// To be sent after that, in a transaction of its own: writers wait for one instance less.
inline constexpr Query kTellOfLeaving{"tell_of_leaving", "select pg_notify('um_seen', '')"};

inline constexpr std::array<const Query*, 10> kAll{
    &kSessionSettings, &kListenWake, &kListenSeen, &kServer,      &kPoll,
    &kRepair,          &kJoin,       &kRefresh,    &kAcknowledge, &kLeave};

}  // namespace um::postgres_feed_queries
