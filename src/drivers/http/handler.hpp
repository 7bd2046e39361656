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

  // The path of a cache hit: if the answer needs no waiting, fills `response` (empty when called)
  // and returns true. No I/O, no coroutine. Called when the body is complete.
  virtual bool answer_now(const Request& request, Response& response) = 0;
  // Called after answer_now() returned false. `request` and `response` outlive the task; a
  // connection has at most one task at a time.
  //
  // If the client disconnects meanwhile, the task gets a cancellation of the type `total`. It has
  // no effect unless the task enables it with
  // reset_cancellation_state(enable_total_cancellation()): a write that has begun is finished, a
  // call that only waits in a queue can leave it. A client that only ended its sending counts as
  // disconnected; the answer of a task that gave up for that reason is still sent.
  //
  // The deadline is the handler's: the server sets none. An exception becomes a 500, but a
  // cancellation that leaves the task as an exception closes the connection.
  virtual Task<void> answer(const Request& request, Response& response) = 0;
  // Called when a client waits for 100 Continue before it sends its body. If the answer needs
  // neither that body nor waiting, fills `response` and returns true; the answer is the
  // connection's last. `request.body` is empty.
  virtual bool answer_without_body(const Request& /*request*/, Response& /*response*/) {
    return false;
  }
  // Writes headers and body of the answer to a request that the server refuses; the status is
  // already decided. `fields`: the part of the request's header that was read.
  virtual void refuse(const Refusal& refusal, const FieldView& fields, Response& response) = 0;
};

}  // namespace um::http
