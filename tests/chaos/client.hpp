// Client: one client of the chaos tests: a thread's loop, its requests and what it saw.
// Board: what the clients of a fleet tell each other.
//
// Thread safety: Board: any thread. Client: one thread, and the owner after that has ended;
// written() from any thread.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "chaos/evidence.hpp"
#include "chaos/fleet.hpp"

namespace um::e2e {

class Board {
 public:
  // The user whom the reviver makes and deletes. An odd version says that the user is there.
  struct Revived {
    std::string address_register{};
    std::string id_register{};  // changes with every new id
    std::string email{};
    std::string id{};
    std::int64_t begun = 0;         // the newest version whose write has begun
    std::int64_t acknowledged = 0;  // the newest version whose write was acknowledged
    std::int64_t made = 0;          // the version of the creation of this id
  };
  struct Visit {
    std::string name{};  // of the register; empty: nobody is there
    std::string token{};
  };

  explicit Board(Fleet& fleet);

  std::string admin_token() const { return read(admin_token_); }
  // Signs the administrator in again, unless another client did so since `old`.
  void renew_admin_token(HttpClient& client, const std::string& old);

  Revived revived() const { return read(revived_); }
  void show(const Revived& revived) { write(revived_, revived); }
  Visit visit() const { return read(visit_); }
  void show(const Visit& visit) { write(visit_, visit); }

  // Grows when commits begin to be lost, and again when that is over: clients give up the registers
  // of before. Odd: commits are being lost now.
  int losses() const { return losses_; }
  void next_loss() { ++losses_; }

  // The users whose first names are the lasting registers; the last one is the outsider, whom only
  // other programs change.
  const std::vector<std::string>& lasting() const { return lasting_; }
  // A query for their versions, and what its answer says.
  std::string survivors() const;
  std::map<std::string, std::int64_t> survivors_in(const std::string& answer) const;

  std::string id_of(const std::string& name) const { return fields_.at(name); }
  std::string email_of(const std::string& name) const { return fields_.at(name + ".email"); }

 private:
  template <class T>
  T read(const T& value) const {
    const std::scoped_lock lock{mutex_};
    return value;
  }
  template <class T>
  void write(T& value, const T& now) {
    const std::scoped_lock lock{mutex_};
    value = now;
  }

  std::vector<std::string> lasting_{};
  std::map<std::string, std::string> fields_{};
  mutable std::mutex mutex_;
  std::string admin_token_;
  Revived revived_{};
  Visit visit_{};
  std::atomic<int> losses_{0};
};

struct ClientOptions {
  std::size_t instance = 0;  // that it asks, unless a request says otherwise
  std::uint64_t seed = 0;
  std::vector<Endpoint> instances{};
};

class Client {
 public:
  Client(Board& board, const ClientOptions& options);
  virtual ~Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void run(const std::stop_token& stop);
  std::uint64_t written() const { return written_; }
  std::size_t instance() const { return instance_; }

  // After the end of the thread:
  std::vector<Seen>& seen() { return seen_; }
  std::vector<Answer>& answers() { return answers_; }
  const std::string& trouble() const { return trouble_; }

 protected:
  virtual void turn() = 0;

  struct Sent {
    BootTime begin{};
    BootTime end{};
    std::size_t instance = 0;
    int losses = 0;                        // as the board had them at the beginning
    std::optional<HttpResponse> answer{};  // nullopt: the connection was lost
    bool is(unsigned status) const { return answer && answer->status == status; }
    bool is_busy() const { return is(503) || is(429); }
    // It may have happened, or may happen later.
    bool is_unknown() const;
  };
  Sent send(std::size_t instance, HttpRequest request);
  Sent send(HttpRequest request) { return send(instance_, std::move(request)); }
  Sent send_as_admin(std::size_t instance, HttpRequest request);

  // An operation that was answered.
  void saw(const std::string& name, test::Operation::Kind kind, std::int64_t version,
           const Sent& sent);
  void wrote(const std::string& name, std::int64_t version, const Sent& sent) {
    saw(name, test::Operation::Kind::write, version, sent);
  }
  void read(const std::string& name, std::int64_t version, const Sent& sent) {
    saw(name, test::Operation::Kind::read, version, sent);
  }
  // A write of unknown outcome.
  void tried(const std::string& name, std::int64_t version, const Sent& sent);
  // An answer that no client understands.
  void complain(const HttpRequest& request, const Sent& sent);

  std::size_t any_instance() { return random_() % instances_.size(); }
  std::size_t random(std::size_t below) { return random_() % below; }
  Board& board() { return board_; }
  static void pause(std::chrono::microseconds time);

 private:
  Board& board_;
  const std::size_t instance_;
  std::mt19937_64 random_;
  std::vector<HttpClient> instances_;
  std::vector<Seen> seen_;
  std::vector<Answer> answers_;
  std::string trouble_;
  std::atomic<std::uint64_t> written_{0};
};

}  // namespace um::e2e
