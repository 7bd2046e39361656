// Limits: bounds on the memory and the time that one client can make the server spend. A value.
#pragma once

#include <chrono>
#include <cstddef>

namespace um::http {

struct Limits {
  std::size_t request_line_bytes = 8'000;
  std::size_t header_bytes = 16 * 1024;  // of all field lines together
  std::size_t header_fields = 100;
  std::size_t chunk_overhead_bytes = 4 * 1024;  // extensions and trailers
  std::size_t body_bytes = 64 * 1024;
  std::chrono::milliseconds header_time{10'000};  // also of the TLS handshake
  std::chrono::milliseconds body_time{30'000};
  std::size_t body_bytes_per_second = 500;
  std::chrono::milliseconds body_grace{5'000};  // no body is too slow before that
  std::chrono::milliseconds idle_time{75'000};
  std::chrono::milliseconds write_time{30'000};  // without a byte getting out
  // After the last answer of a connection, bytes that the client still sends are read and dropped,
  // so that its kernel does not discard that answer: for at most this time, and linger_bytes.
  std::chrono::milliseconds linger_time{5'000};
  // The same for a connection that is idle when a drain begins: an answer that was sent this long
  // ago has arrived.
  std::chrono::milliseconds idle_linger_time{250};
  std::size_t linger_bytes = 16 * 1024 * 1024;
  std::size_t output_bytes = 16 * 1024;  // of answers gathered for one write
  std::size_t connections = 10'000;
};

}  // namespace um::http
