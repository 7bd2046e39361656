#include "drivers/http/output.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace um::http {
namespace {

void append_number(std::string& text, std::size_t number) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  text.append(digits.data(), end);
}

void append_status(std::string& text, unsigned status) {
  const std::string_view line = status_line(status);
  if (!line.empty()) {
    text.append(line);
    return;
  }
  text.append("HTTP/1.1 ");
  append_number(text, status);
  text.append(" \r\n");
}

std::string_view line_of(ConnectionField field) {
  switch (field) {
    case ConnectionField::none:
      return "";
    case ConnectionField::close:
      return "Connection: close\r\n";
    case ConnectionField::keep_alive:
      return "Connection: keep-alive\r\n";
  }
  return "";
}

// RFC 9110 sections 8.6 and 15: neither content nor Content-Length.
bool has_no_content(unsigned status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

void Output::append(Response& response, const AnswerFrame& frame) {
  const std::size_t before = text_.size();
  append_status(text_, response.status);
  text_.append(frame.date_line).append(line_of(frame.connection)).append(response.headers);
  const bool no_content = has_no_content(response.status);
  if (!no_content) {
    text_.append("Content-Length: ");
    append_number(text_, response.content().size());
    text_.append("\r\n");
  }
  text_.append("\r\n");
  size_ += text_.size() - before;
  if (!no_content && frame.body == BodyWish::send) append_body(response);
}

void Output::append_body(Response& response) {
  const std::string_view content = response.content();
  size_ += content.size();
  if (content.size() <= kCopiedBytes) {
    text_.append(content);
    return;
  }
  if (!response.shared_body) {
    response.shared_body = std::make_shared<const std::string>(std::move(response.body));
    response.body.clear();
  }
  large_.push_back({.at = text_.size(), .body = std::move(response.shared_body)});
}

void Output::append(std::string_view text) {
  text_.append(text);
  size_ += text.size();
}

std::span<const boost::asio::const_buffer> Output::buffers() {
  buffers_.clear();
  std::size_t skip = sent_;
  const auto add = [&](const char* data, std::size_t size) {
    const std::size_t skipped = std::min(skip, size);
    skip -= skipped;
    if (skipped < size) buffers_.emplace_back(data + skipped, size - skipped);
  };
  std::size_t at = 0;
  for (const Large& large : large_) {
    add(text_.data() + at, large.at - at);
    add(large.body->data(), large.body->size());
    at = large.at;
  }
  add(text_.data() + at, text_.size() - at);
  return buffers_;
}

void Output::consume(std::size_t bytes) {
  sent_ += bytes;
  if (sent_ < size_) return;
  text_.clear();
  if (text_.capacity() > kKeptBytes) text_.shrink_to_fit();
  large_.clear();
  buffers_.clear();
  size_ = sent_ = 0;
}

std::string format_date(std::chrono::sys_seconds time) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday{day}.c_encoding()],
      static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
      clock.seconds().count());
}

void DateLine::refresh(BootTime now) {
  const WallTime wall = clock_.wall_now();
  const auto second = std::chrono::floor<std::chrono::seconds>(wall);
  line_ = "Date: " + format_date(second) + "\r\n";
  valid_until_ = now + (second + std::chrono::seconds{1} - wall);
}

}  // namespace um::http
