#include "drivers/redis/url.hpp"

#include <charconv>
#include <optional>

namespace um::redis {
namespace {

std::unexpected<Error> refused(std::string why) {
  return fail(ErrorCode::invalid, "the Redis URL " + std::move(why));
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || at != end) return std::nullopt;
  return value;
}

std::optional<unsigned char> hex_byte(std::string_view digits) {
  unsigned char value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, value, 16);
  if (digits.size() != 2 || error != std::errc{} || at != end) return std::nullopt;
  return value;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto byte = hex_byte(text.substr(i + 1, 2));
    if (!byte) return std::nullopt;
    out += static_cast<char>(*byte);
    i += 2;
  }
  return out;
}

bool plain_characters(std::string_view text) {
  for (const char c : text) {
    if (c <= 0x20 || c > 0x7E) return false;
  }
  return true;
}

Result<void> read_credentials(std::string_view text, Endpoint& endpoint) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return refused("names a user but no password");
  auto user = unescaped(text.substr(0, colon));
  auto password = unescaped(text.substr(colon + 1));
  if (!user || !password) return refused("has a broken % escape before the @");
  if (password->empty()) return refused("has an empty password");
  endpoint.user = Secret{std::move(*user)};
  endpoint.password = Secret{std::move(*password)};
  return {};
}

Result<void> read_address(std::string_view text, Endpoint& endpoint) {
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return refused("has a [ without ]");
    endpoint.host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    has_port = rest.starts_with(':');
    if (!rest.empty() && !has_port) return refused("has something between ] and the port");
    if (has_port) port = rest.substr(1);
  } else {
    const auto colon = text.find(':');
    endpoint.host = text.substr(0, colon);
    has_port = colon != std::string_view::npos;
    if (has_port) port = text.substr(colon + 1);
  }
  if (endpoint.host.empty()) return refused("has no host");
  if (!has_port) return {};
  const auto value = number<std::uint16_t>(port);
  if (!value || *value == 0) return refused("has a port that is no number from 1 to 65535");
  endpoint.port = *value;
  return {};
}

Result<void> read_database(std::string_view text, Endpoint& endpoint) {
  if (text.empty()) return {};
  const auto value = number<int>(text);
  if (!value || *value < 0 || text.front() == '-')
    return refused("has a database that is no number");
  endpoint.database = *value;
  return {};
}

Result<void> read_parameters(std::string_view text, Endpoint& endpoint) {
  constexpr std::string_view kCa = "ca=";
  if (!text.starts_with(kCa) || text.find('&') != std::string_view::npos)
    return refused("has a parameter other than ca=FILE");
  if (endpoint.transport != Transport::tls) return refused("has ca=, which needs rediss://");
  auto file = unescaped(text.substr(kCa.size()));
  if (!file || file->empty()) return refused("has no file after ca=");
  endpoint.ca_file = std::move(*file);
  return {};
}

}  // namespace

Result<Endpoint> parse_url(std::string_view url) {
  Endpoint endpoint;
  constexpr std::string_view kPlain = "redis://";
  constexpr std::string_view kTls = "rediss://";
  if (!plain_characters(url)) return refused("has white space or special characters");
  if (url.starts_with(kTls)) {
    endpoint.transport = Transport::tls;
    url.remove_prefix(kTls.size());
  } else if (url.starts_with(kPlain)) {
    url.remove_prefix(kPlain.size());
  } else {
    return refused("must begin with redis:// or rediss://");
  }
  // The last @: a password may contain one by mistake, a host may not.
  const auto at = url.substr(0, url.find('?')).rfind('@');
  if (at != std::string_view::npos) {
    if (auto read = read_credentials(url.substr(0, at), endpoint); !read) return fail(read.error());
    url.remove_prefix(at + 1);
  }
  const auto question = url.find('?');
  const std::string_view path = url.substr(0, question);
  const auto slash = path.find('/');
  if (auto read = read_address(path.substr(0, slash), endpoint); !read) return fail(read.error());
  if (slash != std::string_view::npos) {
    if (auto read = read_database(path.substr(slash + 1), endpoint); !read)
      return fail(read.error());
  }
  if (question != std::string_view::npos) {
    if (auto read = read_parameters(url.substr(question + 1), endpoint); !read)
      return fail(read.error());
  }
  return endpoint;
}

std::string describe(const Endpoint& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return std::string{endpoint.transport == Transport::tls ? "rediss://" : "redis://"} +
         (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port) +
         "/" + std::to_string(endpoint.database);
}

}  // namespace um::redis
