// Any bytes as an entry of a shared store: reading must not crash, an accepted entry must be
// written again to the same bytes, and no entry is accepted without a seal of the deployment's key.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cache/fact_codec.hpp"
#include "cache/fact_seal.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr const char* kKeys[] = {"user:42", "user:9223372036854775807", "email:a@b",
                                 "session:0123456789abcdef0123456789abcdef"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const um::FactSeal seal{um::Secret{"a key of sixteen bytes or more"}};
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  for (const char* key : kKeys) {
    if (const auto fact = um::decode_fact(key, bytes)) {
      require(um::encode_fact(*fact) == bytes);
      const std::string entry = seal.seal(key, *fact);
      const auto opened = seal.open(key, entry);
      require(opened.has_value() == (entry.size() <= um::FactSeal::kMaxEntryBytes));
    }
    if (const auto opened = seal.open(key, bytes)) require(seal.seal(key, *opened) == bytes);
  }
  return 0;
}
