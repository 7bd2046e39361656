// FieldView: the header fields of a request that was refused, as far as they had been read. Valid
// during the call that hands it over. A plain value.
#pragma once

#include <span>
#include <string_view>

#include "drivers/http/characters.hpp"
#include "drivers/http/head.hpp"

namespace um::http {

class FieldView {
 public:
  FieldView() = default;  // nothing was read
  // `base` is the first byte of the request.
  FieldView(const char* base, std::span<const Field> fields) : base_{base}, fields_{fields} {}

  // The value of a field that was sent exactly once so far; empty otherwise.
  std::string_view only(std::string_view name) const {
    std::string_view value;
    std::size_t count = 0;
    for (const Field& field : fields_) {
      if (!equal_without_case(field.name.of(base_), name)) continue;
      value = field.value.of(base_);
      ++count;
    }
    return count == 1 ? value : std::string_view{};
  }

 private:
  const char* base_ = nullptr;
  std::span<const Field> fields_{};
};

}  // namespace um::http
