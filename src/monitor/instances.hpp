// Instances: the instances that the monitor watches, and its account at them. The account is that
// of an administrator: a token from a file, or an address and a password with which the monitor
// signs in.
//
// When an instance refuses the token, renew() reads the file again, or signs in again: tokens end.
// Thread safety: none.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "drivers/http_client/client.hpp"

namespace um {

struct MonitorAccount {
  std::function<Result<Secret>()> read_token{};  // empty: the monitor signs in
  std::string email{};
  Secret password{};
};

class Instances {
 public:
  using Call = http_client::Call;
  using Answer = http_client::Answer;
  using Done = http_client::Client::Done;
  using MakeCall = std::function<Call(const std::string& server, const Secret& token)>;
  static constexpr std::size_t kMostUnderWay = 64;  // calls of one instance
  static constexpr std::chrono::seconds kRenewalPause{10};

  struct Options {
    std::vector<std::string> servers;  // base URLs
    http_client::Client::Options client{};
  };
  Instances(Options options, MonitorAccount account, const Clock& clock);

  std::size_t size() const { return options_.servers.size(); }
  const std::string& server(std::size_t instance) const { return options_.servers[instance]; }

  // Reads the token, or signs in at the first instance that answers. invalid: the file;
  // unauthenticated: the password is wrong; unavailable: no instance answers.
  Result<void> begin();
  void renew();
  // Ends the session, if begin() made one.
  void end();

  // False: too many calls of the instance are under way; `done` is not called.
  bool start(std::size_t instance, const MakeCall& make, Done done);
  // Calls back for answers that have come; returns after the first ones, at `until` at the latest.
  void run_until(BootTime until) { client_.run_until(until); }
  std::size_t under_way() const { return client_.under_way(); }

  // Waits for the answer; other answers call back meanwhile.
  Answer ask(std::size_t instance, const MakeCall& make);
  // The same, of the first instance that answers at all, and not with 5xx; else the last answer.
  Answer ask_any(const MakeCall& make);

 private:
  Result<void> sign_in();

  const Options options_;
  const MonitorAccount account_;
  const Clock& clock_;
  http_client::Client client_;
  Secret token_{};
  std::vector<std::size_t> calls_;  // under way, by instance
  std::optional<BootTime> renewed_at_{};
  std::size_t renewals_ = 0;
};

}  // namespace um
