#include "drivers/http/chunked_body.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "drivers/http/characters.hpp"
#include "drivers/http/head.hpp"

namespace um::http {
namespace {

constexpr std::size_t kMaxSizeDigits = 8;

std::string_view text_of(std::span<const char> bytes) {
  return {bytes.data(), bytes.size()};
}

// An extension begins with ';' after optional white space; its content does not matter.
bool is_extension(std::string_view text) {
  if (text.empty()) return true;
  return trim(text).starts_with(';') && all_are(text, kFieldChar);
}

}  // namespace

void ChunkedBody::start() {
  state_ = State::size_line;
  size_ = raw_ = chunk_left_ = 0;
  overhead_left_ = limits_.chunk_overhead_bytes;
}

ChunkedBody::Progress ChunkedBody::advance(std::span<char> region) {
  raw_ = size_;
  while (state_ != State::complete) {
    const std::span<char> raw = region.subspan(raw_);
    Step step = Step::go_on;
    switch (state_) {
      case State::size_line:
        step = take_size_line(raw);
        break;
      case State::data:
        step = take_data(region);
        break;
      case State::data_end:
        step = take_data_end(raw);
        break;
      case State::trailers:
        step = take_trailer(raw);
        break;
      case State::complete:
        break;
    }
    if (step == Step::need_more) return Progress::need_more;
    if (step == Step::refused) return Progress::refused;
  }
  return Progress::complete;
}

ChunkedBody::Step ChunkedBody::take_size_line(std::span<const char> raw) {
  const Line line = next_line(text_of(raw), kMaxSizeDigits + overhead_left_);
  if (line.status == LineStatus::need_more) return Step::need_more;
  if (line.status != LineStatus::complete) {
    return refuse(bad_request("A chunk size line is malformed or too long."));
  }
  std::size_t digits = 0;
  std::size_t value = 0;
  while (digits < std::min(line.text.size(), kMaxSizeDigits) && is(line.text[digits], kHexDigit)) {
    value = value * 16 + hex_value(line.text[digits++]);
  }
  const std::string_view extension = line.text.substr(digits);
  if (digits == 0 || !is_extension(extension)) {
    return refuse(bad_request("A chunk size is not valid."));
  }
  if (extension.size() > overhead_left_) {
    return refuse(bad_request("The chunk extensions are too long."));
  }
  if (value > limits_.body_bytes - size_) {
    return refuse(
        Refusal{Refusal::Reason::content_too_large, "The body is larger than this server takes."});
  }
  overhead_left_ -= extension.size();
  raw_ += line.text.size() + 2;
  chunk_left_ = value;
  state_ = value == 0 ? State::trailers : State::data;
  return Step::go_on;
}

ChunkedBody::Step ChunkedBody::take_data(std::span<char> region) {
  const std::size_t taken = std::min(chunk_left_, region.size() - raw_);
  std::memmove(region.data() + size_, region.data() + raw_, taken);
  size_ += taken;
  raw_ += taken;
  chunk_left_ -= taken;
  if (chunk_left_ > 0) return Step::need_more;
  state_ = State::data_end;
  return Step::go_on;
}

ChunkedBody::Step ChunkedBody::take_data_end(std::span<const char> raw) {
  constexpr std::string_view kEnd = "\r\n";
  const std::string_view text = text_of(raw).substr(0, kEnd.size());
  if (!kEnd.starts_with(text)) {
    return refuse(bad_request("A chunk is longer than its size says."));
  }
  if (text.size() < kEnd.size()) return Step::need_more;
  raw_ += kEnd.size();
  state_ = State::size_line;
  return Step::go_on;
}

ChunkedBody::Step ChunkedBody::take_trailer(std::span<const char> raw) {
  const Line line = next_line(text_of(raw), overhead_left_);
  if (line.status == LineStatus::need_more) return Step::need_more;
  if (line.status != LineStatus::complete) {
    return refuse(bad_request("The trailers are malformed or too long."));
  }
  raw_ += line.text.size() + 2;
  if (line.text.empty()) {
    state_ = State::complete;
    return Step::go_on;
  }
  overhead_left_ -= line.text.size();
  FieldLine dropped;
  if (const auto refusal = parse_field_line(line.text, dropped)) return refuse(*refusal);
  return Step::go_on;
}

ChunkedBody::Step ChunkedBody::refuse(const Refusal& why) {
  refusal_ = why;
  return Step::refused;
}

}  // namespace um::http
