#include "drivers/pg/query.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <stdexcept>

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

Params& Params::append(std::string_view bytes, bool binary) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw std::length_error{"a parameter of more than 2 GiB"};
  }
  values_.push_back(
      {.begin = data_.size(), .length = static_cast<int>(bytes.size()), .binary = binary});
  data_.append(bytes);
  data_.push_back('\0');
  return *this;
}

Params& Params::add(std::nullopt_t) {
  values_.push_back({.begin = 0, .length = -1, .binary = false});
  return *this;
}

Params& Params::add(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) valid_ = false;
  return append(text, false);
}

Params& Params::add(Bytes bytes) {
  return append(bytes.data, true);
}

Params& Params::add(double value) {
  std::array<char, 32> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return append({digits.data(), end}, false);
}

Params::Value Params::at(std::size_t index) const {
  const Place& place = values_.at(index);
  if (place.length < 0) return {.data = nullptr, .length = -1, .binary = false};
  return {.data = data_.data() + place.begin, .length = place.length, .binary = place.binary};
}

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
