#include "drivers/redis/reply.hpp"

#include <array>
#include <utility>

namespace um::redis {

ErrorClass classify_error(std::string_view text) {
  using enum ErrorClass;
  constexpr std::array<std::pair<std::string_view, ErrorClass>, 13> kWords{{
      {"NOSCRIPT", no_script},
      {"OOM", out_of_memory},
      {"READONLY", read_only},
      {"MISCONF", read_only},
      {"NOREPLICAS", read_only},
      {"LOADING", not_ready},
      {"MASTERDOWN", not_ready},
      {"BUSY", not_ready},
      {"CLUSTERDOWN", not_ready},
      {"TRYAGAIN", not_ready},
      {"NOAUTH", not_authorized},
      {"WRONGPASS", not_authorized},
      {"NOPERM", not_authorized},
  }};
  const std::string_view first = text.substr(0, text.find(' '));
  for (const auto& [word, error] : kWords) {
    if (first == word) return error;
  }
  return other;
}

std::string_view to_string(ErrorClass error) {
  switch (error) {
    case ErrorClass::no_script:
      return "no_script";
    case ErrorClass::out_of_memory:
      return "out_of_memory";
    case ErrorClass::read_only:
      return "read_only";
    case ErrorClass::not_ready:
      return "not_ready";
    case ErrorClass::not_authorized:
      return "not_authorized";
    case ErrorClass::other:
      return "other";
  }
  return "other";
}

std::string_view to_string(Breakage breakage) {
  switch (breakage) {
    case Breakage::none:
      return "none";
    case Breakage::resolve:
      return "resolve";
    case Breakage::connect:
      return "connect";
    case Breakage::tls:
      return "tls";
    case Breakage::timeout:
      return "timeout";
    case Breakage::closed:
      return "closed";
    case Breakage::protocol:
      return "protocol";
    case Breakage::refused:
      return "refused";
    case Breakage::not_ready:
      return "not_ready";
    case Breakage::cancelled:
      return "cancelled";
    case Breakage::stopped:
      return "stopped";
  }
  return "none";
}

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 200;
  std::string out{text.substr(0, kLongest)};
  for (char& c : out) {
    if (c < 0x20 || c > 0x7E) c = '?';
  }
  return out;
}

}  // namespace um::redis
