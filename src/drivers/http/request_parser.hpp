// RequestParser: the strict check between the socket and the application, as a state machine
// without a socket. Its input is everything received so far; its result says what comes next: more
// bytes are needed, the request is complete, or it is refused.
//
// Reason against Boost.Beast's parser: the input that must be refused (bare LF, folded fields,
// white space before a colon, odd transfer codings, trailers as fields) is visible only in the raw
// bytes. They have to be scanned line by line anyway, and then a second parser has nothing left to
// do.
//
// Invariants:
//  1. The outcome depends on the bytes alone, not on how they were cut into calls of advance().
//  2. The request begins at the first byte of the buffer and stays there until next().
//  3. After `complete` the buffer holds the decoded body, and behind it the bytes after the
//  request.
//  4. `refused` is final: the parser looks at nothing that follows.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "drivers/http/chunked_body.hpp"
#include "drivers/http/head.hpp"
#include "drivers/http/input_buffer.hpp"
#include "drivers/http/limits.hpp"
#include "drivers/http/message.hpp"

namespace um::http {

class RequestParser {
 public:
  enum class Progress { need_more, complete, refused };
  enum class Stage { request_line, fields, body, complete, refused };

  explicit RequestParser(const Limits& limits);
  explicit RequestParser(const Limits&&) = delete;

  Progress advance(InputBuffer& input);
  // REQUIRES: complete. Removes the request from the buffer, which may hold the next one already.
  void next(InputBuffer& input);

  // After need_more: the part of the request that is incomplete.
  Stage stage() const { return stage_; }
  // Body bytes received so far.
  std::size_t body_size() const { return body_size_; }
  // After the header was accepted.
  const Head& head() const { return head_; }
  std::string_view body(const InputBuffer& input) const {
    return {input.data() + body_at_, body_size_};
  }
  // After refused.
  const Refusal& refusal() const { return refusal_; }
  // Is the method known to be HEAD? (Its answer has no body.)
  bool is_head_request() const { return head_.method_known && head_.method == Method::head; }

  // With this many bytes in the buffer a request is complete or refused.
  static std::size_t max_bytes(const Limits& limits);

 private:
  enum class Step { go_on, need_more, refused };

  Step take_request_line(const InputBuffer& input);
  Step take_field(const InputBuffer& input);
  Step take_body(InputBuffer& input);
  Step finish_head(const InputBuffer& input);
  Step refuse(const Refusal& why);

  const Limits& limits_;
  Stage stage_ = Stage::request_line;
  std::size_t at_ = 0;         // the next byte to look at, from the request's first
  std::size_t fields_at_ = 0;  // where the field lines begin
  std::size_t body_at_ = 0;
  std::size_t body_size_ = 0;
  bool skipped_empty_line_ = false;
  Head head_;
  ChunkedBody chunked_;
  Refusal refusal_;
};

// The Request that a connection hands to the application, on top of its parser. Reused for every
// request of a connection; not thread safe.
class ParsedRequest final : public Request {
 public:
  // REQUIRES: the parser is complete. The views last until the buffer changes.
  void bind(const RequestParser& parser, const InputBuffer& input);
  std::string_view header(std::string_view name) const override;

 private:
  std::string_view join(std::string_view name, std::size_t first) const;

  const Head* head_ = nullptr;
  const char* base_ = nullptr;
  std::string path_;                        // if it differs from the bytes in the buffer
  mutable std::deque<std::string> joined_;  // a deque, so that earlier views stay valid
};

}  // namespace um::http
