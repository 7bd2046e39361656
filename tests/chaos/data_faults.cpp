// What other programs do in the database and in its neighbours.
#include "chaos/arena.hpp"
#include "support/promise.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;
using Part = Fault::Part;
using Undo = std::function<void()>;

// A session that outlives the beginning of a fault.
std::shared_ptr<BlockingConnection> lasting(BlockingConnection session) {
  return std::make_shared<BlockingConnection>(std::move(session));
}

std::string rename_outsider(Arena& arena, std::int64_t version) {
  return "UPDATE public.users SET first_name = '" + std::to_string(version) +
         "' WHERE id = " + arena.clients().id_of("outsider") + ";";
}

Undo write_as_replica(Arena& arena) {
  auto session = arena.fleet().database().admin();
  session.execute("SET session_replication_role = replica");
  for (int i = 0; i < 5; ++i) {
    arena.clients().change_outsider(
        [&](std::int64_t version) { session.execute(rename_outsider(arena, version)); });
    arena.clients().wait_for_writes(3);
  }
  return [] {};
}

// Without any trigger, which the assumptions allow with a new epoch.
Undo write_behind_the_triggers(Arena& arena) {
  auto session = arena.fleet().database().admin();
  for (int i = 0; i < 3; ++i) {
    arena.clients().change_outsider([&](std::int64_t version) {
      session.execute("SET lock_timeout = '5s'");
      session.execute("BEGIN; ALTER TABLE public.users DISABLE TRIGGER users_updated;" +
                      rename_outsider(arena, version) +
                      "ALTER TABLE public.users ENABLE ALWAYS TRIGGER users_updated;"
                      "SELECT public.bump_cache_epoch(); COMMIT");
    });
    arena.clients().wait_for_writes(3);
  }
  return [] {};
}

Undo truncate_sessions(Arena& arena) {
  auto& fleet = arena.fleet();
  auto client = fleet.client(0);
  const HttpRequest me{.target = "/auth/me",
                       .headers = {bearer(sign_in(client, fleet.stage().known("visitor.email")))}};
  EXPECT_TRUE(fleet.warm_up(me));
  arena.clients().end_sessions(
      [&] { fleet.database().admin().execute("TRUNCATE public.sessions"); });
  const auto ended = BootClock::now();
  auto admin = fleet.client(0);
  EXPECT_TRUE(eventually([&] {
    try {
      fleet.stage().remember("admin.token", sign_in(admin, kAdminEmail));
      return true;
    } catch (const std::runtime_error&) {
      return false;  // too busy
    }
  }));
  while (BootClock::now() <= ended + kT) std::this_thread::sleep_for(1ms);
  for (std::size_t i = 0; i < fleet.size(); ++i) {
    const auto status = fleet.client(i).send(me).status;
    EXPECT_TRUE(status == 401 || status == 503) << test::kBroken << status << " from " << i;
  }
  return [] {};
}

// All of them in one transaction, that of the outsider among them.
Undo change_many_rows(Arena& arena) {
  const auto url = arena.fleet().database().url();
  const auto rows = std::to_string(arena.options().bulk_rows);
  test::psql(url,
             "INSERT INTO public.users (email) SELECT 'bulk' || i || '@example.test'"
             " FROM generate_series(1, " +
                 rows + ") i");
  arena.clients().change_outsider([&](std::int64_t version) {
    test::psql(url, "BEGIN; UPDATE public.users SET last_name = 'many' WHERE email LIKE 'bulk%';" +
                        rename_outsider(arena, version) + "COMMIT");
  });
  return [url] { test::psql(url, "DELETE FROM public.users WHERE email LIKE 'bulk%'"); };
}

// Everything since the dump is lost.
Undo restore_a_dump(Arena& arena) {
  auto& clients = arena.clients();
  const auto url = arena.fleet().database().url_as("postgres");
  const auto dump = test::pg_dump(url, {"--clean", "--if-exists"});
  clients.wait_for_writes(10);
  Loss loss{.from = clients.losing(), .within = Loss::Within::either};
  std::string answer;
  const auto script =
      "BEGIN;\n" + dump + "\nSELECT 'survived ' || (" + clients.survivors() + ");\nCOMMIT;\n";
  std::string error;
  const bool restored = eventually([&] {
    try {
      answer = test::psql(url, script);
      return true;
    } catch (const std::runtime_error& failed) {
      error = failed.what();
      return error.find("deadlock") == std::string::npos;  // with the locks of a request
    }
  });
  if (!restored || answer.empty()) throw std::runtime_error("no restore: " + error);
  loss.to = BootClock::now();
  loss.survived = clients.survivors_in(answer.substr(answer.find("survived ") + 9));
  clients.lost(std::move(loss));
  return [] {};
}

// Its id is older than those of all changes meanwhile; it makes its own at the end.
Undo long_transaction(Arena& arena) {
  auto session = lasting(arena.fleet().database().session());
  session->execute("BEGIN; SELECT pg_current_xact_id()");
  return [&arena, session] {
    arena.clients().change_outsider([&](std::int64_t version) {
      session->execute(rename_outsider(arena, version) + "COMMIT");
    });
  };
}

Undo long_transaction_elsewhere(Arena& arena) {
  auto other =
      std::make_shared<test::TestDatabase>(arena.server(), test::TestDatabase::Content::empty);
  auto session = lasting(other->admin());
  session->execute("BEGIN; CREATE TABLE forgotten (id int)");
  return [other, session] { session->execute("ROLLBACK"); };
}

Undo prepared_transaction(Arena& arena) {
  auto session = lasting(arena.fleet().database().session());
  session->execute("BEGIN; UPDATE public.users SET last_name = 'Prepared' WHERE id = " +
                   arena.clients().id_of("outsider") + "; PREPARE TRANSACTION 'forgotten'");
  return [session] { session->execute("COMMIT PREPARED 'forgotten'"); };
}

// An application of another database notifies and waits for a standby that does not exist. Until
// then no transaction of the cluster that notifies can commit.
Undo hanging_notify(Arena& arena) {
  auto other =
      std::make_shared<test::TestDatabase>(arena.server(), test::TestDatabase::Content::empty);
  // Commits of all others do not wait.
  arena.set("synchronous_commit", "local");
  arena.set("synchronous_standby_names", "nosuch");
  auto hanging = std::make_shared<std::jthread>([other] {
    auto session = other->admin();
    session.execute("SET synchronous_commit = on");
    session.execute("BEGIN; CREATE TABLE t (id int); NOTIFY elsewhere; COMMIT");
  });
  auto watching = other->admin();
  EXPECT_TRUE(eventually([&] {
    return watching.integer("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") >
           0;
  }));
  return [&arena, other, hanging] {
    arena.set("synchronous_standby_names", "");
    arena.set("synchronous_commit", "");
    hanging->join();
  };
}

}  // namespace

std::vector<Fault> data_faults() {
  return {
      {"writes with session_replication_role = replica", Part::data, write_as_replica, 100ms},
      {"writes without triggers, and a new epoch", Part::data, write_behind_the_triggers, 100ms},
      {"TRUNCATE of the sessions", Part::data, truncate_sessions, 100ms},
      {"very many rows by psql", Part::data, change_many_rows, 600ms},
      {"a long transaction in the database", Part::data, long_transaction},
      {"a long transaction in another database", Part::data, long_transaction_elsewhere},
      {"a forgotten prepared transaction", Part::data, prepared_transaction},
      {"a NOTIFY that hangs in another database", Part::data, hanging_notify},
      {"a dump is restored over the database", Part::data, restore_a_dump, 600ms},
  };
}

}  // namespace um::e2e
