// Collects why a request about a user is refused: members that are wrong, and members that the
// caller may not set. The second kind weighs more: who may not ask is not told what would have been
// right.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "user/validation.hpp"

namespace um {

inline constexpr const char* kReadOnly = "read_only";
inline constexpr const char* kForbidden = "forbidden";

class Refusals {
 public:
  void required(const char* field) { wrong.add({field, "required", "is required"}); }
  void null(const char* field) { wrong.add({field, "null", "must not be null"}); }
  void read_only(const char* field) {
    wrong.add({field, kReadOnly, "cannot be set here, and is not the current value"});
  }
  void forbidden(const char* field) {
    forbidden_.push_back({field, kForbidden, "only an administrator may set it"});
  }

  bool empty() const { return wrong.empty() && forbidden_.empty(); }
  Error error() && {
    if (forbidden_.empty()) return std::move(wrong).error("some members are not valid");
    std::string names;
    for (const FieldError& field : forbidden_) names += (names.empty() ? "" : ", ") + field.field;
    return {.code = ErrorCode::forbidden,
            .detail = "only an administrator may set " + names,
            .fields = std::move(forbidden_)};
  }

  FieldErrors wrong;

 private:
  std::vector<FieldError> forbidden_;
};

}  // namespace um
