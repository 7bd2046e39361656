// Handler: the application behind the HTTP server.
//
// Thread safety: called from every event loop at once; for one connection one call at a time, in
// the order of its requests.
#pragma once

#include "async/task.hpp"
#include "drivers/http/head.hpp"
#include "drivers/http/message.hpp"

namespace um::http {

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
  // what only waits in a queue can leave it. A client that only ended its sending counts as gone: a
  // task that gives up for it answers so, and that answer is still sent. Its own deadline bounds
  // it; the server does not. What it throws becomes a 500; a cancellation that it lets through
  // closes the connection.
  virtual Task<void> answer(const Request& request, Response& response) = 0;
  // A client waits for 100 Continue before it sends its body. If the answer does not depend on that
  // body and can be told at once, fills `response` and returns true; it is the connection's last.
  // `request.body` is empty.
  virtual bool answer_without_body(const Request& /*request*/, Response& /*response*/) {
    return false;
  }
  // Writes headers and body of the answer to a request that the server refuses; the status is
  // already decided. `fields`: what was read of the request's header.
  virtual void refuse(const Refusal& refusal, const FieldView& fields, Response& response) = 0;
};

}  // namespace um::http
