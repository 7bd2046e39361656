#include "drivers/http/input_buffer.hpp"

#include <cstring>

#include <gtest/gtest.h>

namespace um::http {
namespace {

void put(InputBuffer& buffer, std::string_view text) {
  while (!text.empty()) {
    const auto room = buffer.prepare(1'000'000);
    const std::size_t size = std::min(room.size(), text.size());
    std::memcpy(room.data(), text.data(), size);
    buffer.commit(size);
    text.remove_prefix(size);
  }
}

TEST(InputBuffer, KeepsWhatWasNotConsumedWhileItMovesAndGrows) {
  InputBuffer buffer;
  std::string expected;
  for (int i = 0; i < 3'000; ++i) {
    const std::string piece = "piece " + std::to_string(i) + ";";
    put(buffer, piece);
    expected += piece;
    if (i % 3 == 0) {
      buffer.consume(5);
      expected.erase(0, 5);
    }
  }
  EXPECT_EQ(buffer.view(), expected);
}

TEST(InputBuffer, NeverHoldsMoreThanAllowed) {
  InputBuffer buffer;
  std::size_t held = 0;
  while (true) {
    const auto room = buffer.prepare(5'000);
    if (room.empty()) break;
    buffer.commit(room.size());
    held += room.size();
  }
  EXPECT_EQ(held, 5'000U);
  buffer.consume(1);
  EXPECT_EQ(buffer.prepare(5'000).size(), 1U);
}

TEST(InputBuffer, EraseTakesBytesOutOfTheMiddle) {
  InputBuffer buffer;
  put(buffer, "0123456789");
  buffer.consume(2);
  buffer.erase(1, 4);
  EXPECT_EQ(buffer.view(), "26789");
}

}  // namespace
}  // namespace um::http
