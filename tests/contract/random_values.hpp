// RandomValues: arguments for random calls of a store. There are few enough values for collisions,
// and they contain characters that have a meaning in some layer.
#pragma once

#include <random>
#include <string>

#include "user/user_change.hpp"

namespace um::test {

class RandomValues {
 protected:
  explicit RandomValues(unsigned seed) : random_{seed} {}

  bool one_in(unsigned n) { return random_() % n == 0; }
  template <class Array>
  const auto& pick(const Array& array) {
    return array[random_() % std::size(array)];
  }
  Usd usd() {
    static constexpr std::int64_t kAmounts[]{1, 999'999, 1'500'000, 123'456'789, Usd::kMaxMicros};
    return *Usd::from_micros(pick(kAmounts));
  }
  Email email() {
    static constexpr const char* kDomains[]{"@x.org", "@X.org", "@пример.рф"};
    const std::string name = (one_in(2) ? "u" : "U") + std::to_string(random_() % 40);
    return Email::parse(name + pick(kDomains)).value();
  }
  std::string username() { return (one_in(2) ? "name" : "NAME") + std::to_string(random_() % 30); }
  std::string name() {
    static constexpr const char* kNames[]{
        "",      "Ann", "ann",  "Łukasz", "Straße", "志明",     "O'Brien",   "back\\slash", "a\"b",
        "{x,y}", "%_%", "Иван", "NULL",   "null",   "qz\u00e9", "  spaces ", "a\tb"};
    return pick(kNames);
  }
  std::string keyword() {
    static constexpr const char* kKeywords[]{
        "",     "a",    "ann",  "NN",   "strasse", "ß",    "志",  "志明", "'",    "o'b",    "\\",
        "k\\s", "%",    "_",    "\"",   "{x,",     "null", "qz",  "@x",   ".org", "u1",     "U12",
        "zz",   "\x1f", "\xff", "a\tb", "ив",      ":*",   "& |", "!",    "  ",   "e\u0301"};
    return pick(kKeywords);
  }
  // Unique, so every new hash is a change.
  std::string hash() { return "$2b$10$" + std::to_string(random_()) + "'\\"; }

  UserId given_id() {
    return *UserId::from(1'000'000 * static_cast<std::int64_t>(1 + random_() % 50));
  }

  std::mt19937 random_;
};

}  // namespace um::test
