#include "config/setting_kinds.hpp"

#include <algorithm>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include "base/printable.hpp"
#include "base/utf8.hpp"
#include "config/url_mask.hpp"

namespace um::setting_kinds {
namespace {

// Text for the operating system or for answers: one line of printable characters.
bool is_clean(std::string_view text) {
  while (!text.empty()) {
    const Utf8Step step = next_code_point(text);
    if (!step.code_point || is_unprintable(*step.code_point)) return false;
    text.remove_prefix(step.bytes);
  }
  return true;
}

// "127.0.0.1:8080", "[::1]:8080", "localhost:8080".
std::optional<ListenAddress> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const auto port = parse_whole_number(text.substr(colon + 1));
  if (!port || *port > 65535) return std::nullopt;
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  if (host == "localhost" && !brackets) host = "127.0.0.1";
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (error || address.is_v6() != brackets) return std::nullopt;
  return ListenAddress{.address = address.to_string(), .port = static_cast<std::uint16_t>(*port)};
}

bool has_scheme(std::string_view url, std::initializer_list<std::string_view> schemes) {
  return std::ranges::any_of(schemes, [&](std::string_view scheme) {
    return url.starts_with(scheme) && url.size() > scheme.size();
  });
}

std::optional<DatabaseUrl> parse_database(std::string_view text) {
  if (!is_clean(text)) return std::nullopt;
  if (has_scheme(text, {"postgresql://", "postgres://"})) {
    return DatabaseUrl{
        .kind = DatabaseUrl::Kind::postgresql, .path = {}, .url = Secret{std::string{text}}};
  }
  constexpr std::string_view scheme = "sqlite:";
  if (!text.starts_with(scheme)) return std::nullopt;
  const std::string_view path = text.substr(scheme.size());
  // "//…" is a URL with a host, ":memory:" a database per connection: neither is a file.
  if (path.empty() || path.starts_with("//") || path.starts_with(":")) return std::nullopt;
  return DatabaseUrl{.kind = DatabaseUrl::Kind::sqlite, .path = std::string{path}};
}

}  // namespace

Setting bytes(Row row, std::uint64_t Config::* member, Bounds<std::uint64_t> bounds) {
  Setting setting{.name = row.name, .placeholder = "SIZE", .help = row.help};
  setting.allowed = fmt::format(
      "a size from {} to {} in B, KiB, MiB, GiB, TiB, kB, MB, GB or TB, such as {}",
      format_bytes(bounds.min), format_bytes(bounds.max), format_bytes(Config{}.*member));
  setting.assign = [=](Config& config, std::string_view text) {
    const auto value = parse_bytes(text);
    if (!value || *value < bounds.min || *value > bounds.max) return false;
    config.*member = *value;
    return true;
  };
  setting.show = [=](const Config& config) { return format_bytes(config.*member); };
  return setting;
}

Setting optional_path(Row row, std::optional<std::string> Config::* member) {
  Setting setting{.name = row.name, .placeholder = "FILE", .help = row.help};
  setting.allowed = "the path of a file, or nothing";
  setting.assign = [=](Config& config, std::string_view text) {
    if (!is_clean(text) || text.size() > 4096) return false;
    config.*member = text.empty() ? std::nullopt : std::optional{std::string{text}};
    return true;
  };
  setting.show = [=](const Config& config) { return (config.*member).value_or(""); };
  return setting;
}

Setting listen_address(Row row) {
  Setting setting{.name = row.name, .placeholder = "ADDRESS:PORT", .help = row.help};
  setting.allowed =
      "a numeric address or localhost, and a port from 0 to 65535 (0: any free one), such as "
      "127.0.0.1:8080, 0.0.0.0:80 or [::1]:8080";
  setting.assign = [](Config& config, std::string_view text) {
    auto parsed = parse_listen(text);
    if (parsed) config.listen = std::move(*parsed);
    return parsed.has_value();
  };
  setting.show = [](const Config& config) { return config.listen.text(); };
  return setting;
}

Setting database_url(Row row) {
  Setting setting{.name = row.name, .placeholder = "URL", .help = row.help, .secret = true};
  setting.allowed = "sqlite:PATH of a file, or postgresql://…";
  setting.assign = [](Config& config, std::string_view text) {
    auto parsed = parse_database(text);
    if (parsed) config.database = std::move(*parsed);
    return parsed.has_value();
  };
  setting.show = [](const Config& config) { return config.database.masked(); };
  return setting;
}

Setting redis_url(Row row) {
  Setting setting{.name = row.name, .placeholder = "URL", .help = row.help, .secret = true};
  setting.allowed = "redis://… or rediss://…, or nothing";
  setting.assign = [](Config& config, std::string_view text) {
    if (!text.empty() && (!has_scheme(text, {"redis://", "rediss://"}) || !is_clean(text)))
      return false;
    config.redis = text.empty() ? std::nullopt : std::optional{Secret{std::string{text}}};
    return true;
  };
  setting.show = [](const Config& config) {
    return config.redis ? mask_url(config.redis->reveal()) : std::string{};
  };
  return setting;
}

Setting issuer(Row row) {
  Setting setting{.name = row.name, .placeholder = "TEXT", .help = row.help};
  setting.allowed = "1 to 200 bytes without control characters";
  setting.assign = [](Config& config, std::string_view text) {
    if (text.empty() || text.size() > 200 || !is_clean(text)) return false;
    config.issuer = text;
    return true;
  };
  setting.show = [](const Config& config) { return config.issuer; };
  return setting;
}

Setting networks(Row row, std::vector<IpNetwork> Config::* member) {
  constexpr std::size_t kMax = 100;
  Setting setting{.name = row.name, .placeholder = "NETWORKS", .help = row.help};
  setting.allowed = fmt::format(
      "at most {} addresses or networks separated by commas, such as 10.0.0.0/8,::1", kMax);
  setting.assign = [=](Config& config, std::string_view text) {
    std::vector<IpNetwork> parsed;
    while (!text.empty()) {
      const auto comma = std::min(text.find(','), text.size());
      auto network = IpNetwork::parse(text.substr(0, comma));
      if (!network || parsed.size() == kMax || comma + 1 == text.size()) return false;
      parsed.push_back(std::move(*network));
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
    config.*member = std::move(parsed);
    return true;
  };
  setting.show = [=](const Config& config) {
    std::string out;
    for (const IpNetwork& network : config.*member) {
      if (!out.empty()) out += ',';
      out += network.text();
    }
    return out;
  };
  return setting;
}

}  // namespace um::setting_kinds
