// keys list, rotate, revoke
#include <ostream>

#include "async/run_task.hpp"
#include "auth/tokens/signing_keys.hpp"
#include "base/json_writer.hpp"
#include "cli/command.hpp"
#include "cli/layout.hpp"
#include "cli/messages.hpp"
#include "cli/operator.hpp"
#include "user/time_text.hpp"

namespace um {
namespace {

// The present state of a key, as the list shows it.
std::string state_of(const SigningKey& key, bool newest_that_signs, WallTime now) {
  if (key.revoked_at) return "revoked";
  if (newest_that_signs) return "signs";
  return verifies(key, now) ? "verifies" : "expired";
}

struct KeyLine {
  std::string kid;
  std::string state;
  std::string created;
  std::optional<std::string> verifies_until;
};

std::vector<KeyLine> describe_keys(const std::vector<SigningKey>& keys, WallTime now) {
  std::vector<KeyLine> out;
  bool signer_seen = false;
  for (const SigningKey& key : keys) {  // newest first
    const bool signer = !signer_seen && signs(key);
    signer_seen = signer_seen || signer;
    out.push_back({.kid = key.kid,
                   .state = state_of(key, signer, now),
                   .created = time_text(key.created_at),
                   .verifies_until = key.verify_until ? std::optional{time_text(*key.verify_until)}
                                                      : std::nullopt});
  }
  return out;
}

std::string to_json(const std::vector<KeyLine>& keys) {
  JsonWriter json;
  json.open_array(JsonWriter::Layout::lines);
  for (const KeyLine& key : keys) {
    json.open_object()
        .member("kid", key.kid)
        .member("state", key.state)
        .member("created_at", key.created)
        .member("verifies_until", key.verifies_until)
        .close();
  }
  return json.close().take();
}

class KeysList final : public Command {
 public:
  About about() const override {
    return {.name = "list", .summary = "list the keys, newest first"};
  }
  Result<ExitCode> run(const Context& context) override {
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    const auto keys = um::run((*storage)->signing_keys().list(call_deadline(context.io)));
    if (!keys) return fail(keys.error());
    const auto lines = describe_keys(*keys, context.io.clock.wall_now());
    if (context.json) {
      context.io.out << to_json(lines) << '\n';
      return ExitCode::done;
    }
    Table table{{{"KID"}, {"STATE"}, {"CREATED"}, {"VERIFIES UNTIL"}}};
    for (const KeyLine& key : lines) {
      table.add({key.kid, key.state, key.created, key.verifies_until.value_or("-")});
    }
    table.write(context.io.out);
    return ExitCode::done;
  }
};

class KeysRotate final : public Command {
 public:
  About about() const override {
    return {.name = "rotate",
            .summary = "sign with a new key; the old ones verify until their tokens are gone"};
  }
  Result<ExitCode> run(const Context& context) override {
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    const auto authority = make_token_authority(context, **storage);
    if (!authority) return fail(authority.error());
    const auto kid = um::run((*authority)->rotate(call_deadline(context.io)));
    if (!kid) return fail(kid.error());
    if (context.json) {
      context.io.out << JsonWriter{}.open_object().member("kid", *kid).close().text() << '\n';
    } else {
      context.io.out << "signing with " << *kid << '\n';
    }
    return ExitCode::done;
  }
};

class KeysRevoke final : public Command {
 public:
  About about() const override {
    return {.name = "revoke",
            .summary = "end a key and every token it signed, at once",
            .examples =
                "  user-manager keys rotate && user-manager keys revoke KID\n"
                "  user-manager keys revoke -- -KID    (for one that begins with -)"};
  }
  void declare(Options& options) override {
    options.positional({"KID", "as `keys list` shows it"}, kid_);
  }
  Result<ExitCode> run(const Context& context) override {
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    const auto authority = make_token_authority(context, **storage);
    if (!authority) return fail(authority.error());
    const auto revoked = um::run((*authority)->revoke(kid_, call_deadline(context.io)));
    if (!revoked && revoked.error().code == ErrorCode::not_found) {
      return fail(ErrorCode::not_found, "no key " + shown(kid_));
    }
    if (!revoked) return fail(revoked.error());
    if (context.json) {
      context.io.out << JsonWriter{}.open_object().member("revoked", kid_).close().text() << '\n';
    } else {
      context.io.out << "revoked key " << shown(kid_) << '\n';
    }
    return ExitCode::done;
  }

 private:
  std::string kid_;
};

}  // namespace

std::unique_ptr<Command> make_keys_list_command() {
  return std::make_unique<KeysList>();
}
std::unique_ptr<Command> make_keys_rotate_command() {
  return std::make_unique<KeysRotate>();
}
std::unique_ptr<Command> make_keys_revoke_command() {
  return std::make_unique<KeysRevoke>();
}

}  // namespace um
