#include "drivers/http/request_parser.hpp"

#include <algorithm>

#include "drivers/http/characters.hpp"
#include "drivers/http/target.hpp"

namespace um::http {

RequestParser::RequestParser(const Limits& limits) : limits_{limits}, chunked_{limits} {
  head_.fields.reserve(std::min<std::size_t>(limits.header_fields, 16));
}

std::size_t RequestParser::max_bytes(const Limits& limits) {
  constexpr std::size_t kLineEnds = 64;  // CR LF, chunk sizes
  return limits.request_line_bytes + limits.header_bytes + limits.body_bytes +
         limits.chunk_overhead_bytes + kLineEnds;
}

RequestParser::Progress RequestParser::advance(InputBuffer& input) {
  Step step = Step::go_on;
  while (step == Step::go_on) {
    switch (stage_) {
      case Stage::request_line:
        step = take_request_line(input);
        break;
      case Stage::fields:
        step = take_field(input);
        break;
      case Stage::body:
        step = take_body(input);
        break;
      case Stage::complete:
        return Progress::complete;
      case Stage::refused:
        return Progress::refused;
    }
  }
  return step == Step::need_more ? Progress::need_more : Progress::refused;
}

void RequestParser::next(InputBuffer& input) {
  input.consume(body_at_ + body_size_);
  stage_ = Stage::request_line;
  at_ = fields_at_ = body_at_ = body_size_ = 0;
  skipped_empty_line_ = false;
  head_.clear();
}

RequestParser::Step RequestParser::take_request_line(const InputBuffer& input) {
  const Line line = next_line(input.view().substr(at_), limits_.request_line_bytes);
  switch (line.status) {
    case LineStatus::need_more:
      return Step::need_more;
    case LineStatus::malformed:
      return refuse(
          bad_request("The request line has a CR or LF inside, or does not end with both."));
    case LineStatus::too_long:
      return refuse(Refusal{Refusal::Reason::uri_too_long, "The request line is too long."});
    case LineStatus::complete:
      break;
  }
  at_ += line.text.size() + 2;
  // One empty line before a request is skipped (RFC 9112 section 2.2).
  if (line.text.empty() && !skipped_empty_line_) {
    skipped_empty_line_ = true;
    return Step::go_on;
  }
  if (const auto refusal = parse_request_line(input.data(), line.text, head_))
    return refuse(*refusal);
  fields_at_ = at_;
  stage_ = Stage::fields;
  return Step::go_on;
}

RequestParser::Step RequestParser::take_field(const InputBuffer& input) {
  const std::size_t left = limits_.header_bytes - std::min(limits_.header_bytes, at_ - fields_at_);
  const Line line = next_line(input.view().substr(at_), left);
  switch (line.status) {
    case LineStatus::need_more:
      return Step::need_more;
    case LineStatus::malformed:
      return refuse(bad_request("A header line has a CR or LF inside, or does not end with both."));
    case LineStatus::too_long:
      return refuse(Refusal{Refusal::Reason::header_too_large, "The header is too large."});
    case LineStatus::complete:
      break;
  }
  at_ += line.text.size() + 2;
  if (line.text.empty()) return finish_head(input);
  if (head_.fields.size() == limits_.header_fields) {
    return refuse(Refusal{Refusal::Reason::header_too_large, "The header has too many fields."});
  }
  FieldLine field;
  if (const auto refusal = parse_field_line(line.text, field)) return refuse(*refusal);
  const auto slice = [&](std::string_view part) {
    return Slice{.at = static_cast<std::uint32_t>(part.data() - input.data()),
                 .size = static_cast<std::uint32_t>(part.size())};
  };
  head_.fields.push_back({.name = slice(field.name), .value = slice(field.value)});
  return Step::go_on;
}

RequestParser::Step RequestParser::finish_head(const InputBuffer& input) {
  if (head_.method_refusal) return refuse(*head_.method_refusal);
  if (const auto refusal = check_head(input.data(), limits_, head_)) return refuse(*refusal);
  body_at_ = at_;
  if (head_.body == BodyKind::chunked) chunked_.start();
  stage_ = head_.body == BodyKind::none ? Stage::complete : Stage::body;
  return Step::go_on;
}

RequestParser::Step RequestParser::take_body(InputBuffer& input) {
  if (head_.body == BodyKind::sized) {
    body_size_ = std::min(head_.content_length, input.size() - body_at_);
    if (body_size_ < head_.content_length) return Step::need_more;
    stage_ = Stage::complete;
    return Step::go_on;
  }
  const auto progress = chunked_.advance({input.data() + body_at_, input.size() - body_at_});
  body_size_ = chunked_.size();
  if (progress == ChunkedBody::Progress::refused) return refuse(chunked_.refusal());
  input.erase(body_at_ + body_size_, body_at_ + chunked_.raw_begin());
  if (progress == ChunkedBody::Progress::need_more) return Step::need_more;
  stage_ = Stage::complete;
  return Step::go_on;
}

RequestParser::Step RequestParser::refuse(const Refusal& why) {
  refusal_ = why;
  stage_ = Stage::refused;
  return Step::refused;
}

void ParsedRequest::bind(const RequestParser& parser, const InputBuffer& input) {
  head_ = &parser.head();
  base_ = input.data();
  if (!joined_.empty()) joined_.clear();
  method = head_->method;
  path = head_->implied_path.empty() ? decode_unreserved(head_->path.of(base_), path_)
                                     : head_->implied_path;
  query = head_->query.of(base_);
  body = parser.body(input);
}

std::string_view ParsedRequest::header(std::string_view name) const {
  const std::size_t count = head_->fields.size();
  std::size_t found = count;
  for (std::size_t i = 0; i < count; ++i) {
    if (!equal_without_case(head_->fields[i].name.of(base_), name)) continue;
    if (found != count) return join(name, found);
    found = i;
  }
  return found == count ? std::string_view{} : head_->fields[found].value.of(base_);
}

std::string_view ParsedRequest::join(std::string_view name, std::size_t first) const {
  std::string& all = joined_.emplace_back(head_->fields[first].value.of(base_));
  for (std::size_t i = first + 1; i < head_->fields.size(); ++i) {
    const Field& field = head_->fields[i];
    if (!equal_without_case(field.name.of(base_), name)) continue;
    all.append(", ").append(field.value.of(base_));
  }
  return all;
}

}  // namespace um::http
