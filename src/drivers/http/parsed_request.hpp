// ParsedRequest: the Request that a connection shows to the application, on top of its parser.
// Reused for every request of a connection; not thread safe.
#pragma once

#include <deque>
#include <string>

#include "drivers/http/message.hpp"
#include "drivers/http/request_parser.hpp"

namespace um::http {

class ParsedRequest final : public Request {
 public:
  // REQUIRES: the parser is complete. The views last until the buffer changes.
  void bind(const RequestParser& parser, const InputBuffer& input);
  std::string_view header(std::string_view name) const override;

 private:
  std::string_view join(std::string_view name, std::size_t first) const;

  const Head* head_ = nullptr;
  const char* base_ = nullptr;
  std::string path_;                        // unless the bytes in the buffer will do
  mutable std::deque<std::string> joined_;  // a deque, so that earlier views stay valid
};

}  // namespace um::http
