#include "user/search_fold.hpp"

#include <algorithm>
#include <stdexcept>

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include "base/utf8.hpp"
#include "user/email.hpp"

namespace um {

namespace {

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

icu::UnicodeString compose(const icu::UnicodeString& text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  icu::UnicodeString result;
  if (U_SUCCESS(status)) result = nfc->normalize(text, status);
  // The data of NFC is part of the library: this is a broken installation or no memory.
  if (U_FAILURE(status)) throw std::runtime_error{"ICU cannot normalize text"};
  return result;
}

// i with dots above is i: what the full folding of U+0130 gives, and what it gives when folded
// again.
icu::UnicodeString without_dots_of_i(const icu::UnicodeString& text) {
  icu::UnicodeString result;
  bool after_i = false;
  for (int32_t i = 0; i < text.length(); ++i) {
    const char16_t unit = text.charAt(i);
    if (after_i && unit == u'\u0307') continue;
    after_i = unit == u'i';
    result.append(unit);
  }
  return result;
}

}  // namespace

std::string fold_for_search(std::string_view utf8) {
  const std::string_view bounded = utf8_prefix(utf8, kMaxSearchFoldBytes);
  if (is_ascii(bounded)) return fold_ascii(bounded);
  icu::UnicodeString text = compose(icu::UnicodeString::fromUTF8(
      icu::StringPiece{bounded.data(), static_cast<int32_t>(bounded.size())}));
  text.foldCase();
  std::string result;
  compose(without_dots_of_i(text)).toUTF8String(result);
  return result;
}

}  // namespace um
