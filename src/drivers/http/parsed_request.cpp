#include "drivers/http/parsed_request.hpp"

#include "drivers/http/characters.hpp"
#include "drivers/http/target.hpp"

namespace um::http {

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
