// Output: the answers of a connection that are not written yet, gathered for one scatter write.
//
// Heads and small bodies are copied one behind another; a large body is written from where it is
// (for a few hundred bytes a copy costs less than one more buffer of the write).
// Memory is reused: in a steady state nothing is allocated. Not thread safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/buffer.hpp>

#include "base/clock.hpp"
#include "drivers/http/message.hpp"

namespace um::http {

// A date as HTTP writes it (IMF-fixdate, RFC 9110 section 5.6.7):
// "Sun, 06 Nov 1994 08:49:37 GMT". Years 0 to 9999. Pure.
std::string format_date(std::chrono::sys_seconds time);

// "Date: …\r\n", formatted once a second. Not thread safe: one per loop.
class DateLine {
 public:
  explicit DateLine(const Clock& clock) : clock_{clock} {}
  // `now` is compared with the end of the second that the line was made for.
  std::string_view at(BootTime now) {
    if (now >= valid_until_) refresh(now);
    return line_;
  }

 private:
  void refresh(BootTime now);

  const Clock& clock_;
  BootTime valid_until_{};
  std::string line_;
};

enum class BodyWish { send, omit };  // omit: the answer to HEAD
enum class ConnectionField { none, close, keep_alive };

struct AnswerFrame {
  std::string_view date_line{};  // with CR LF
  BodyWish body = BodyWish::send;
  ConnectionField connection = ConnectionField::none;
};

class Output {
 public:
  static constexpr std::size_t kCopiedBytes = 16 * 1024;

  // Takes the body out of `response` if it is large.
  void append(Response& response, const AnswerFrame& frame);
  void append(std::string_view text);

  bool empty() const { return size_ == sent_; }
  std::size_t size() const { return size_ - sent_; }
  // The bytes to write; valid until the next call that is not const.
  std::span<const boost::asio::const_buffer> buffers();
  // This many bytes were written.
  void consume(std::size_t bytes);

 private:
  // A body that is not in text_ and is written before text_[at].
  struct Large {
    std::size_t at;
    std::shared_ptr<const std::string> body;
  };
  static constexpr std::size_t kKeptBytes = 32 * 1024;

  void append_body(Response& response);

  std::string text_;
  std::vector<Large> large_;
  std::vector<boost::asio::const_buffer> buffers_;
  std::size_t size_ = 0;
  std::size_t sent_ = 0;
};

}  // namespace um::http
