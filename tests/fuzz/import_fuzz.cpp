// Both import formats on arbitrary bytes: how the bytes are cut into pieces makes no difference,
// every record is a user or an error, and a user that was read survives being exported and read
// again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "user/transfer/export_writer.hpp"
#include "user/transfer/import_reader.hpp"
#include "user/user.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

using Make = std::unique_ptr<um::ImportReader> (*)();

um::User user_of(const um::NewUser& from) {
  um::User user{.id = from.id.value_or(*um::UserId::from(1)), .email = from.email};
  user.username = from.username;
  user.first_name = from.first_name;
  user.last_name = from.last_name;
  user.role = from.role;
  user.is_active = from.is_active;
  user.quota_usd = from.quota_usd;
  user.used_usd = from.used_usd;
  user.model_capability_settings = from.model_capability_settings;
  user.created_at = from.created_at.value_or(um::WallTime{});
  return user;
}

struct Seen {
  std::vector<std::string> lines{};
  std::vector<um::User> users{};
};

Seen read_in_pieces(Make make, std::string_view bytes, std::size_t piece) {
  const auto reader = make();
  Seen seen;
  const auto drain = [&] {
    while (true) {
      auto line = reader->next();
      if (!line) {
        if (seen.lines.empty() || seen.lines.back() != line.error().detail)
          seen.lines.push_back(line.error().detail);
        return;
      }
      if (!*line) return;
      const um::ImportLine& read = **line;
      std::string shown = std::to_string(read.number) + ' ';
      if (read.user) {
        seen.users.push_back(user_of(read.user->user));
        shown += um::make_record(seen.users.back())->json;
      } else {
        shown += read.user.error().detail;
        for (const um::FieldError& field : read.user.error().fields)
          shown += field.field + field.code;
      }
      seen.lines.push_back(shown);
    }
  };
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    reader->feed(bytes.substr(0, piece));
    drain();
  }
  reader->finish();
  drain();
  return seen;
}

void survives(const um::User& user) {
  const auto record = um::make_record(user);
  std::string csv;
  um::append_csv_header(csv);
  um::append_csv(csv, user);
  std::string jsonl;
  um::append_jsonl(jsonl, *record);
  for (const Seen& again : {read_in_pieces(um::make_csv_reader, csv, csv.size()),
                            read_in_pieces(um::make_jsonl_reader, jsonl, jsonl.size())}) {
    require(again.users.size() == 1);
    require(um::make_record(again.users.front())->json == record->json);
  }
}

}  // namespace

// The first byte chooses the format and the size of the pieces; the rest is the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Make make = (data[0] & 1U) != 0 ? um::make_csv_reader : um::make_jsonl_reader;
  const std::size_t piece = 1U + (data[0] >> 1U);
  std::string bytes;
  for (std::size_t i = 1; i < size; ++i) bytes += static_cast<char>(data[i]);

  const Seen whole = read_in_pieces(make, bytes, bytes.size() + 1);
  const Seen pieces = read_in_pieces(make, bytes, piece);
  require(whole.lines == pieces.lines);
  for (const um::User& user : whole.users) survives(user);
  return 0;
}
