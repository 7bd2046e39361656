// TcpGate: stands between a client and a server on loopback, passes everything on, and makes the
// network fail at a moment of the test's choice.
//
// Thread safety: any thread. The destructor closes everything.
#pragma once

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
  // The connections that are open now: the server hears everything, the client nothing any more.
  // When the server has answered something they are cut.
  void swallow_answers();

 private:
  struct Link {
    int client = -1;
    int server = -1;
    bool swallow = false;
    bool closed = false;
  };
  void run();
  void take_connection();
  // False: this connection is over.
  bool pass(int from, int to) const;
  void close(Link& link);
  void wake() const;

  const int server_port_;
  int listener_ = -1;
  int port_ = 0;
  int wake_[2]{-1, -1};
  std::mutex mutex_;
  std::list<Link> links_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace um::test
