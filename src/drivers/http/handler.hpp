// Handler: the application behind the HTTP server.
//
// Thread safety: called from every event loop at once; for one connection one call at a time, in
// the order of its requests.
#pragma once

#include "base/task.hpp"
#include "drivers/http/message.hpp"

namespace um::http {

// Why the server itself answers, without asking the application for more than the text.
enum class Refusal {
  bad_request,            // 400: malformed, or breaks a rule of RFC 9112
  request_timeout,        // 408
  content_too_large,      // 413
  uri_too_long,           // 414
  expectation_failed,     // 417
  header_too_large,       // 431
  not_implemented,        // 501: unknown method or transfer coding
  method_not_allowed,     // 405: TRACE and CONNECT; the application adds Allow
  version_not_supported,  // 505
  overloaded,             // 503: too many connections; with Retry-After
  internal,               // 500: the handler threw
};
unsigned status_of(Refusal refusal);

class Handler {
 public:
  virtual ~Handler() = default;

  // The way of a hit: if the answer is known without waiting, fills `response` (empty when called)
  // and returns true. No I/O, no coroutine. Called once the body is complete.
  virtual bool answer_now(const Request& request, Response& response) = 0;
  // Otherwise. `request` and `response` outlive the task; at most one at a time per connection.
  // When the client goes away meanwhile, the task gets a cancellation of the type `total`, which
  // changes nothing unless it asks for it with
  // reset_cancellation_state(enable_total_cancellation()): so what is half written is finished, and
  // what only waits in a queue can leave it. Its own deadline bounds it; the server does not. What
  // it throws becomes a 500.
  virtual Task<void> answer(const Request& request, Response& response) = 0;
  // The body of a refusal; `detail` is a sentence for people. Sets headers and body, not the
  // status.
  virtual void refuse(Refusal refusal, std::string_view detail, Response& response) = 0;
};

}  // namespace um::http
