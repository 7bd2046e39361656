#include "drivers/pg/array.hpp"

namespace um::pg {
namespace {

template <class Elements, class Write>
std::string array_of(const Elements& elements, Write write) {
  std::string text = "{";
  for (const auto& element : elements) {
    if (text.size() > 1) text += ',';
    write(text, element);
  }
  text += '}';
  return text;
}

}  // namespace

std::string text_array(std::span<const std::string> elements) {
  return array_of(elements, [](std::string& text, const std::string& element) {
    text += '"';
    for (const char c : element) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  });
}

std::string integer_array(std::span<const std::int64_t> elements) {
  return array_of(elements,
                  [](std::string& text, std::int64_t element) { text += std::to_string(element); });
}

}  // namespace um::pg
