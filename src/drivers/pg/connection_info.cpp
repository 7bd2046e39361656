#include "drivers/pg/connection_info.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>

#include <boost/asio/ip/address.hpp>
#include <libpq-fe.h>

#include "base/text.hpp"

namespace um::pg {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using OptionList = std::unique_ptr<PQconninfoOption, FreeOptions>;

constexpr std::string_view kSpecialCharacters =
    " (special characters of a user name or password must be percent-encoded)";

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0;;) {
    const auto comma = list.find(',', begin);
    parts.emplace_back(list.substr(begin, comma - begin));
    if (comma == std::string_view::npos) return parts;
    begin = comma + 1;
  }
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): never set
  return value == nullptr ? "" : value;
}

bool is_port(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return text.empty() ||
         (error == std::errc{} && end == text.data() + text.size() && number > 0 && number < 65536);
}

// libpq reports a wrong value only when it connects. A standby is no choice: its rows may be
// outdated.
Result<void> check_choice(std::string_view key, std::string_view value) {
  static constexpr std::string_view kTargets = " primary read-write ";
  static constexpr std::string_view kTls = " disable allow prefer require verify-ca verify-full ";
  const bool concerned = key == "target_session_attrs" || key == "sslmode";
  const std::string_view allowed = key == "sslmode" ? kTls : kTargets;
  if (!concerned || value.empty() || allowed.find(' ' + std::string{value} + ' ') != allowed.npos)
    return {};
  return fail(ErrorCode::invalid, "the database URL gives " + std::string{key} +
                                      " a value that is not possible here; there are:" +
                                      std::string{allowed.substr(0, allowed.size() - 1)});
}

// libpq's rule (34.1.1.3): as many ports as hosts, or one for all.
Result<std::vector<Host>> pair_up(std::string_view names, std::string_view addresses,
                                  std::string_view ports) {
  const auto name = split(names);
  const auto address = split(addresses);
  const auto port = split(ports);
  const std::size_t count = addresses.empty() ? name.size() : address.size();
  if ((!names.empty() && name.size() != count) || (port.size() != 1 && port.size() != count)) {
    return fail(ErrorCode::invalid, "the database URL names different numbers of hosts and ports");
  }
  if (!std::ranges::all_of(port, is_port)) {
    return fail(ErrorCode::invalid,
                "the database URL has a port that is no number from 1 to 65535" +
                    std::string{kSpecialCharacters});
  }
  std::vector<Host> hosts(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!names.empty()) hosts[i].name = name[i];
    if (!addresses.empty()) hosts[i].address = address[i];
    hosts[i].port = port.size() == 1 ? port[0] : port[i];
  }
  return hosts;
}

}  // namespace

std::optional<std::string> Host::address_without_resolving() const {
  if (is_socket()) return "";
  boost::system::error_code error;
  const auto numeric = boost::asio::ip::make_address(name_to_resolve(), error);
  if (error) return std::nullopt;
  return numeric.to_string();
}

Result<ConnectionInfo> ConnectionInfo::parse(const Secret& url) {
  char* complaint = nullptr;
  const OptionList options{PQconninfoParse(std::string{url.reveal()}.c_str(), &complaint)};
  if (complaint != nullptr) PQfreemem(complaint);
  if (!options) {
    return fail(ErrorCode::invalid,
                "the database URL cannot be understood" + std::string{kSpecialCharacters});
  }
  ConnectionInfo info;
  std::string names;
  std::string addresses;
  std::string ports;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view key = option->keyword;
    if (auto known = check_choice(key, option->val); !known) return fail(std::move(known.error()));
    if (key == "host") {
      names = option->val;
    } else if (key == "hostaddr") {
      addresses = option->val;
    } else if (key == "port") {
      ports = option->val;
    } else {
      info.settings_.emplace_back(key, Secret{option->val});
    }
  }
  if (names.empty() && addresses.empty()) {
    names = environment("PGHOST");
    addresses = environment("PGHOSTADDR");
  }
  if (ports.empty()) ports = environment("PGPORT");
  auto hosts = pair_up(names, addresses, ports);
  if (!hosts) return fail(std::move(hosts.error()));
  info.hosts_ = *std::move(hosts);
  return info;
}

const Secret* ConnectionInfo::find(std::string_view key) const {
  const auto found =
      std::ranges::find_if(settings_, [&](const auto& setting) { return setting.first == key; });
  return found == settings_.end() ? nullptr : &found->second;
}

void ConnectionInfo::set_default(std::string_view key, std::string_view value) {
  if (find(key) == nullptr) settings_.emplace_back(key, Secret{std::string{value}});
}

bool ConnectionInfo::wants_writes() const {
  const Secret* attributes = find("target_session_attrs");
  return attributes != nullptr && attributes->reveal() == "read-write";
}

std::optional<std::chrono::seconds> ConnectionInfo::connect_timeout() const {
  const Secret* setting = find("connect_timeout");
  if (setting == nullptr) return std::nullopt;
  const std::string_view text = setting->reveal();
  int seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (seconds <= 0) return std::nullopt;
  return std::chrono::seconds{seconds};
}

void ConnectionInfo::set_defaults_of(std::string_view application_name) {
  set_default("application_name", application_name);
  set_default("target_session_attrs", "primary");
  set_default("client_encoding", "UTF8");
  set_default("gssencmode", "disable");  // its credentials are read in a blocking way
  // A connection that waits for an answer keeps its place in a pool until it ends. So a dead
  // network or a dead host must end it within seconds. A backend that hangs ends nothing: the
  // kernel of its host acknowledges.
  set_default("tcp_user_timeout", "3000");  // milliseconds; the others: seconds, seconds, probes
  set_default("keepalives_idle", "3");
  set_default("keepalives_interval", "1");
  set_default("keepalives_count", "3");
}

ConnectionInfo::Keywords ConnectionInfo::keywords(const Host& host, const char* address) const {
  Keywords all;
  const auto add = [&all](const char* name, const char* value) {
    all.names.push_back(name);
    all.values.push_back(value);
  };
  if (!host.name.empty()) add("host", host.name.c_str());
  if (address != nullptr) add("hostaddr", address);
  if (!host.port.empty()) add("port", host.port.c_str());
  for (const auto& [key, value] : settings_) {
    add(key.c_str(), value.reveal().data());
  }
  add(nullptr, nullptr);
  return all;
}

std::string ConnectionInfo::scrubbed(std::string_view text) const {
  std::string line{text};
  for (const char* key : {"password", "sslpassword"}) {
    const Secret* secret = find(key);
    if (secret != nullptr && !secret->empty()) replace_all(line, secret->reveal(), "***");
  }
  while (!line.empty() && line.back() == '\n') line.pop_back();
  for (char& c : line) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return line;
}

}  // namespace um::pg
