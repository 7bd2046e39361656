// ByteWriter, ByteReader: binary values; integers little-endian in their full width, texts after
// their length. The reader never reads past its end: after an attempt to do so every value is empty
// and ok() is false. Thread safety: none.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace um {

class ByteWriter {
 public:
  template <std::unsigned_integral Number>
  void number(Number value) {
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
      bytes_ += static_cast<char>(static_cast<unsigned char>(value & 0xFFU));
      value = static_cast<Number>(static_cast<std::uint64_t>(value) >> 8U);
    }
  }
  void integer(std::int64_t value) { number(static_cast<std::uint64_t>(value)); }
  void text(std::string_view text) {
    number(static_cast<std::uint32_t>(text.size()));
    bytes_ += text;
  }
  void raw(std::string_view bytes) { bytes_ += bytes; }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : left_{bytes} {}

  template <std::unsigned_integral Number>
  Number number() {
    const std::string_view bytes = raw(sizeof(Number));
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i > 0; --i)
      value = value << 8U | static_cast<unsigned char>(bytes[i - 1]);
    return static_cast<Number>(value);
  }
  std::int64_t integer() { return static_cast<std::int64_t>(number<std::uint64_t>()); }
  std::string_view text() { return raw(number<std::uint32_t>()); }
  std::string_view raw(std::size_t size) {
    if (size > left_.size()) {
      ok_ = false;
      left_ = {};
      return {};
    }
    const std::string_view bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return bytes;
  }

  bool ok() const { return ok_; }
  std::size_t left() const { return left_.size(); }
  bool all_read() const { return ok_ && left_.empty(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace um
