// Rejection: why the strict check does not let a request through. A plain value.
#pragma once

#include <optional>
#include <string_view>

#include "drivers/http/refusal.hpp"

namespace um::http {

struct Rejection {
  Refusal refusal = Refusal::bad_request;
  std::string_view detail;  // a sentence for people; a literal
};
using Checked = std::optional<Rejection>;  // nothing: passed

inline Checked bad_request(std::string_view detail) {
  return Rejection{.refusal = Refusal::bad_request, .detail = detail};
}

}  // namespace um::http
