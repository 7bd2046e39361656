// The requests of the monitor, and the meaning of their answers. Pure; thread safety: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "drivers/http_client/client.hpp"
#include "monitor/probe.hpp"

namespace um {

// `server`: the base URL of an instance. A read is a plain GET, as any client sends it.
http_client::Call get_call(const std::string& server, const std::string& path, const Secret& token);
// A read that no cache answers.
http_client::Call primary_call(const std::string& server, const std::string& path,
                               const Secret& token);
http_client::Call write_call(const std::string& server, const Probe::Write& write,
                             const std::string& email, const Secret& token);
http_client::Call delete_call(const std::string& server, std::int64_t id, const Secret& token);
http_client::Call sign_in_call(const std::string& server, const std::string& email,
                               const Secret& password);
http_client::Call sign_out_call(const std::string& server, const Secret& token);

struct ReadAnswer {
  enum class Kind {
    state,    // `reading`
    excused,  // the answer says that it may be stale (Age): `stale-if-error` of the operator
    error,
  };
  Kind kind = Kind::error;
  FoundOrNone reading{};
  std::string error{};  // for people: "503 unavailable", "connection refused"
};
ReadAnswer read_answer(const http_client::Answer& answer);

WriteResult write_result(Probe::Write::Kind kind, const http_client::Answer& answer);

// One line for people about an answer that was not the wanted one.
std::string failure_line(const http_client::Answer& answer);

// The token in the answer to a sign-in.
std::optional<Secret> token_in(const http_client::Answer& answer);

// A user in a list, as far as the monitor looks at it.
struct ListedUser {
  std::int64_t id = 0;
  std::string email{};
  bool is_plain = false;  // role `user`, and not active
  WallTime updated_at{};
};
// nullopt: not a list.
std::optional<std::vector<ListedUser>> users_in(const http_client::Answer& answer);
// A user that a monitor which was killed has left behind: the mark of a probe, unchanged for an
// hour.
bool is_left_over(const ListedUser& user, WallTime now);

// What an instance says about its promise (GET /cache/stats); nullopt: an older version does not.
struct PromiseTerms {
  bool strict = true;
  std::chrono::milliseconds staleness_bound{500};
};
std::optional<PromiseTerms> promise_in(const http_client::Answer& answer);

}  // namespace um
