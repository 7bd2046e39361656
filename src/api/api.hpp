// Api: the HTTP interface of user-manager, the handler that the HTTP server calls.
//
// Both functions that answer go through the same steps: route, caller, access rule, handler.
// answer_now() does not wait and answers only if everything is in memory; answer() starts again
// from the first step and waits where it must. An answer_now() that gave up has no visible effect,
// so each request is counted and logged once.
//
// Thread safety: any event loop. The parts outlive it. It has no threads, and no state but
// counters.
#pragma once

#include <chrono>
#include <functional>
#include <string_view>
#include <vector>

#include "api/access.hpp"
#include "api/handlers.hpp"
#include "api/request_stats.hpp"
#include "base/clock.hpp"
#include "base/database_times.hpp"
#include "drivers/http/handler.hpp"

namespace um::api {

// One answered request. The views are valid during the call only.
struct RequestLogLine {
  std::string_view request_id;
  std::string_view method;
  std::string_view route;  // its name, or "unmatched"; never the path, which may hold an address
  unsigned status = 0;
  std::chrono::nanoseconds took{};
  std::string_view peer;         // of the connection
  std::optional<UserId> user{};  // the caller
  std::string_view problem{};    // its code, if the answer is one
  std::string_view detail{};     // of an internal failure; not part of the answer
};

// Which requests the log hook gets: all, those with a status from 500, or none.
enum class LogRequests { none, failures, all };

struct ApiOptions {
  ReadAccess reading = ReadAccess::private_;
  TrustedProxies trusted_proxies{};
  // How long an answer may take, see Patience.
  std::chrono::milliseconds lookup_time = kLookUpTime;
  std::chrono::milliseconds ordinary_time{2'000};
  std::chrono::milliseconds password_time{10'000};
  // How long a request may wait for L2 (Redis), see Deadline.
  std::chrono::milliseconds l2_time{50};
  LogRequests log_requests = LogRequests::failures;
  std::function<void(const RequestLogLine&)> log{};  // called on event loops: must not block
};

class Api final : public http::Handler {
 public:
  struct Parts {
    Users& users;
    SignIn& sign_in;
    ProcessInfo& process;
    const Clock& clock;
  };
  Api(Parts parts, ApiOptions options);

  bool answer_now(const http::Request& request, http::Response& response) override;
  Task<void> answer(const http::Request& request, http::Response& response) override;
  bool answer_without_body(const http::Request& request, http::Response& response) override;
  void refuse(const http::Refusal& refusal, const http::FieldView& fields,
              http::Response& response) override;

  RequestStats stats() const { return counters_.stats(); }

 private:
  // These return the answer instead of writing it. nullopt: authorizing has to wait.
  std::optional<Answer> authorize_now(Exchange& exchange);
  Task<Answer> authorize(Exchange& exchange);
  Task<Answer> authorize_and_handle(Exchange& exchange);
  Answer check_rule(const Exchange& exchange) const;
  Answer answer_unmatched(Exchange& exchange, const Match& match);
  void add_common_headers(Exchange& exchange);
  Deadline deadline_of(const Route& route) const;
  void finish(Exchange& exchange, const Answer& answer, RequestCounters::Way way);
  void log(const Exchange& exchange, const Answer& answer, std::chrono::nanoseconds took) const;

  Parts parts_;
  ApiOptions options_;
  OpenApiDocument openapi_;
  Services services_;
  RequestIds ids_;
  RequestCounters counters_;
};

}  // namespace um::api
