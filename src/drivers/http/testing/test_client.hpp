// For tests: a blocking client that sends exactly the bytes it is told to. No wait is without
// bound.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace um::http::testing {

class TestClient {
 public:
  explicit TestClient(std::uint16_t port);
  TestClient(TestClient&& other) noexcept;
  TestClient& operator=(TestClient&&) = delete;
  ~TestClient();

  // False when the other side no longer takes it.
  bool send(std::string_view bytes);
  void end_sending();
  // One whole answer with its body, as its Content-Length says; what came by then if it breaks off.
  std::string answer();
  // The same, of an answer without body (to HEAD; 100 Continue).
  std::string head();
  // Everything until the server closes; "(reset)" or "(timeout)" is appended when it does not end
  // well.
  std::string rest();
  // Did the server close, with nothing left to read?
  bool closed() { return rest().empty(); }

 private:
  bool receive();

  int socket_ = -1;
  std::string buffer_;
  std::string failure_;
};

}  // namespace um::http::testing
