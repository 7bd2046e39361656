// The statements of the feed (change_feed.hpp).
#pragma once

#include <array>

#include "drivers/pg/query.hpp"

namespace um::postgres_feed_queries {

using pg::Query;

// Run once on each connection. Unqualified names mean PostgreSQL's own objects, whatever
// search_path the database or the role sets; objects of this program are named with their schema.
inline constexpr Query kSessionSettings{
    "feed_settings",
    "select pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),"
    " pg_catalog.set_config('default_transaction_isolation', 'read committed', false),"
    " pg_catalog.set_config('bytea_output', 'hex', false)"};

// The poll: one statement, so one snapshot. $1: changes since this snapshot are returned; null:
// since the oldest mark of the namespace, or now. $2: at most so many. Rows of three kinds:
//   state   namespace, now, since, horizon of the purges
//   change  xid, cache key          hold  –, cache key
// The running transactions of $1 are an array, because only then the index is used.
inline constexpr Query kPoll{"poll", R"(
  with state as materialized (
    select public.cache_namespace() as name_space, pg_current_snapshot() as now),
  mark as materialized (
    select m.snapshot from state, public.snapshot_marks m
     where m.tau = state.name_space order by m.number limit 1),
  since as materialized (
    select coalesce($1::pg_snapshot, (select snapshot from mark), state.now) as snapshot from state)
  select 'state', state.name_space, state.now::text, since.snapshot::text,
         (select h.snapshot::text from public.purge_horizon h where h.tau = state.name_space),
         null::bytea
    from state, since
  union all
  (select 'change', c.xid::text, null, null, null, c.ckey from public.user_changes c
    where c.xid >= pg_snapshot_xmax((select snapshot from since)) limit $2)
  union all
  (select 'change', c.xid::text, null, null, null, c.ckey from public.user_changes c
    where c.xid = any (array(select pg_snapshot_xip(snapshot) from since)) limit $2)
  union all
  select distinct 'hold', null, null, null, null, ckey from public.cache_holds)"};

// For a database without a namespace: makes a new incarnation. Returns the other faults of the
// schema, or null.
inline constexpr Query kRepair{"repair_namespace", "select public.cache_repair()"};

inline constexpr Query kRegister{
    "register_instance", "insert into public.cache_instances (id, refreshes) values ($1::uuid, 0)"};
inline constexpr Query kRefresh{
    "refresh_instance",
    "update public.cache_instances set refreshes = refreshes + 1 where id = $1::uuid"};
inline constexpr Query kInstances{"list_instances",
                                  "select id, refreshes from public.cache_instances"};
inline constexpr Query kExpel{
    "expel_instance", "delete from public.cache_instances where id = $1::uuid and refreshes = $2"};

inline constexpr Query kMark{"take_snapshot_mark", "select public.take_snapshot_mark()"};
inline constexpr Query kPurge{"purge_changes", "select public.purge_changes($1)"};

inline constexpr std::array<const Query*, 9> kAll{&kSessionSettings, &kPoll,    &kRepair,
                                                  &kRegister,        &kRefresh, &kInstances,
                                                  &kExpel,           &kMark,    &kPurge};

}  // namespace um::postgres_feed_queries
