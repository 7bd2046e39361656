// The parser and strict check of the HTTP server: no input makes it crash or read past its bytes,
// and the places where the stream is cut into reads never change the result.
//
// The first byte says how the rest is cut: 0 byte by byte, otherwise pieces of pseudo-random sizes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string_view>

#include "drivers/http/testing/parse_trace.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  // Small limits, so that short inputs reach them.
  const um::http::Limits limits{.request_line_bytes = 200,
                                .header_bytes = 300,
                                .header_fields = 8,
                                .chunk_overhead_bytes = 40,
                                .body_bytes = 100};
  std::minstd_rand random{data[0]};
  const bool single_bytes = data[0] == 0;
  const auto cut = [&] { return single_bytes ? 1 : std::size_t{random() % 23 + 1}; };
  const auto whole = um::http::testing::trace_whole(bytes, limits);
  if (um::http::testing::trace_requests(bytes, limits, cut) != whole) std::abort();
  if (whole.ends_with("no room")) std::abort();
  return 0;
}
