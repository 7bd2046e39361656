// What the triggers of the PostgreSQL schema have noted: for tests.
#pragma once

#include "storage/postgres/session.hpp"

namespace um::test {

// The cache keys that were noted since the last call, sorted, separated by spaces; "*" stands for
// everything. They are taken away.
inline std::string taken_changes(PostgresSession& db) {
  return db.text(
      "WITH taken AS (DELETE FROM public.user_changes RETURNING ckey)"
      " SELECT coalesce(string_agg(coalesce(convert_from(ckey, 'UTF8'), '*'), ' '"
      " ORDER BY convert_from(ckey, 'UTF8') COLLATE \"C\"), '') FROM taken");
}

// The namespace; empty: there is none.
inline std::string name_space(PostgresSession& db) {
  return db.text("SELECT coalesce(public.cache_namespace(), '')");
}

}  // namespace um::test
