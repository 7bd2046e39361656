// ConnectionInfo: a connection URL taken apart: the servers to try, in order, and the settings that
// libpq gets for each of them.
//
// Names are not resolved here. libpq would block while it resolves, so the caller resolves `host`
// first and passes the address as hostaddr (PostgreSQL documentation, 34.1.2); the name stays for
// the verification of certificates.
//
// The password is among the settings: never print the object. The messages of libpq about a URL
// that it cannot read quote the URL and are not repeated.
//
// Thread safety: immutable after parse().
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace um::pg {

struct Host {
  std::string name{};     // a host name, an address, or the directory of a socket; may be empty
  std::string address{};  // hostaddr, where the URL gives one
  std::string port{};     // empty: libpq's default

  bool is_socket() const {
    return address.empty() && (name.empty() || name.front() == '/' || name.front() == '@');
  }
  const std::string& name_to_resolve() const { return address.empty() ? name : address; }
  // Empty for a local socket; nullopt if the name must be resolved.
  std::optional<std::string> address_without_resolving() const;
};

class ConnectionInfo {
 public:
  // ErrorCode::invalid with a sentence for people that does not quote the URL.
  static Result<ConnectionInfo> parse(const Secret& url);

  const std::vector<Host>& hosts() const { return hosts_; }
  // Whether a server that accepts no writes is given up for another one.
  bool wants_writes() const;
  std::optional<std::chrono::seconds> connect_timeout() const;

  // Unless the URL names the setting itself.
  void set_default(std::string_view key, std::string_view value);
  // The settings of every connection of this program. Never to a standby, which may not have
  // received an acknowledged write yet.
  void set_defaults_of(std::string_view application_name);

  // Keywords and values for PQconnectStartParams, both ended by a nullptr; they point into this
  // object and into `host` and `address`.
  struct Keywords {
    std::vector<const char*> names;
    std::vector<const char*> values;
  };
  Keywords keywords(const Host& host, const char* address) const;

  // `text` without the password, in one line.
  std::string scrubbed(std::string_view text) const;

 private:
  const Secret* find(std::string_view key) const;

  std::vector<Host> hosts_;
  std::vector<std::pair<std::string, Secret>> settings_;  // without host, hostaddr, port
};

}  // namespace um::pg
