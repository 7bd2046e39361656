// TcpGate: a proxy between a client and a server on loopback that makes the network fail at a
// moment that the test chooses.
//
// Thread safety: any thread. The destructor closes everything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

namespace um::test {

class TcpGate {
 public:
  explicit TcpGate(int server_port);
  ~TcpGate();
  TcpGate(const TcpGate&) = delete;
  TcpGate& operator=(const TcpGate&) = delete;

  int port() const { return port_; }
  // The connections that are open now: closes them on both sides.
  void cut();
  // The connections that are open now: data still reaches the server, but no longer the client.
  // They are closed as soon as the server has answered something.
  void swallow_answers();
  // The connections that are open now: closes each after so many more bytes from the server, in the
  // middle of an answer.
  void cut_after(std::size_t bytes);
  // Data no longer arrives and no connection is closed, as when a cable is pulled; new connections
  // are not answered. Data sent meanwhile arrives after let_through().
  enum class Lost : std::uint8_t { everything, requests, answers };
  void black_hole(Lost lost = Lost::everything);
  void let_through();
  // New connections go to another server; cut() ends the present ones.
  void lead_to(int server_port);

 private:
  struct Link {
    int client = -1;
    int server = -1;
    bool swallow = false;
    bool closed = false;
    std::size_t answers_left = SIZE_MAX;  // bytes
  };
  void run();
  void take_connection();
  // Returns how many bytes were passed on, at most `limit`; 0: the connection has ended.
  struct Way {
    int from;
    int to;
  };
  std::size_t pass(Way way, std::size_t limit) const;
  bool pass_answer(Link& link) const;
  void close(Link& link);
  void wake() const;

  int listener_ = -1;
  int port_ = 0;
  int wake_[2]{-1, -1};
  std::mutex mutex_;
  std::list<Link> links_;
  int server_port_;
  bool stop_ = false;
  bool requests_lost_ = false;
  bool answers_lost_ = false;
  std::thread thread_;
};

}  // namespace um::test
